"""Clients that submit under adverse conditions, and what they were told."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from support.deployment import Deployment
from taskgate.v1.task_service_pb2 import AbortRequest, SubmitRequest
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

CLIENTS = 8

DEADLINE = 10.0
"""How long a Submit may take, in seconds."""

PATIENCE = 90.0
"""How long a client repeats a Submit that failed, in seconds."""

TRY_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Submission:
    """An acknowledged Submit."""

    task_id: str
    request_id: str
    calls: int
    """How often it was tried."""
    longest_call: float
    """In seconds."""


class Traffic:
    """Submits from several threads until each is acknowledged, repeating with its request id."""

    def __init__(
        self, deployment: Deployment, try_again: Collection[grpc.StatusCode] = TRY_AGAIN
    ) -> None:
        """``try_again``: the answers after which a Submit is repeated."""
        self._try_again = try_again
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._stubs: Iterator[TaskServiceStub] = itertools.cycle(
            [deployment.stub() for _ in range(CLIENTS)]
        )
        self._submissions: list[Future[Submission]] = []

    def submit(
        self,
        number: int,
        task_type: str = "journal.run",
        kwargs: Callable[[], Mapping[str, Any]] = dict,
        **fields: Any,
    ) -> None:
        """Submit so many tasks in the background."""
        for _ in range(number):
            request = SubmitRequest(
                task_type=task_type, request_id=f"request-{next(_numbers)}", **fields
            )
            request.kwargs.update(dict(kwargs()))
            stub = next(self._stubs)
            self._submissions.append(
                self._pool.submit(submit_until_acknowledged, stub, request, self._try_again)
            )

    @property
    def acknowledged(self) -> int:
        """How many were acknowledged so far."""
        return sum(future.done() for future in self._submissions)

    def abort(self, number: int) -> None:
        """Ask for the abort of so many random tasks that are acknowledged and not final."""
        done = [future.result().task_id for future in self._submissions if future.done()]
        for task_id in random.sample(done, min(number, len(done))):
            abort_unless_final(next(self._stubs), task_id)

    def wait(self) -> list[Submission]:
        """Return all once they are acknowledged."""
        return [future.result(PATIENCE + 2 * DEADLINE) for future in self._submissions]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def traffic_to(
    deployment: Deployment, try_again: Collection[grpc.StatusCode] = TRY_AGAIN
) -> Iterator[Traffic]:
    """Clients of a deployment, which need not be up."""
    traffic = Traffic(deployment, try_again)
    try:
        yield traffic
    finally:
        traffic.close()


def submit_until_acknowledged(
    stub: TaskServiceStub,
    request: SubmitRequest,
    try_again: Collection[grpc.StatusCode] = TRY_AGAIN,
) -> Submission:
    """Repeat a Submit while the server or its database is away; an RpcError for anything else."""
    give_up_at = time.monotonic() + PATIENCE
    longest = 0.0
    for calls in itertools.count(1):
        began = time.monotonic()
        try:
            task = stub.Submit(request, timeout=DEADLINE).task
        except grpc.RpcError as error:
            longest = max(longest, time.monotonic() - began)
            if code_of(error) not in try_again or time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)
            continue
        longest = max(longest, time.monotonic() - began)
        return Submission(task.id, request.request_id, calls, longest)
    raise AssertionError("unreachable")


def abort_unless_final(stub: TaskServiceStub, task_id: str) -> None:
    """Ask for an abort; an RpcError for anything but that it is too late."""
    try:
        stub.Abort(AbortRequest(id=task_id), timeout=DEADLINE)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
            raise


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """What the call was answered."""
    assert isinstance(error, grpc.Call)
    code: grpc.StatusCode = error.code()
    return code
