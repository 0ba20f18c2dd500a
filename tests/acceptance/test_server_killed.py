"""SIGKILL of the server at the worst moments: an answered Submit runs, and runs once."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import pytest
from sqlalchemy import select

from support.deployment import Deployment
from support.engines import Engines
from support.processes import Process
from support.waiting import wait_until
from taskgate.client import State, TaskHandle
from taskgate.store.tables import outbox, tasks
from taskgate.v1.task_service_pb2 import SubmitRequest
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

ANSWERED = 20
"""Submits that were answered when the server is killed."""

KILLS = 6
CLIENTS = 3


@pytest.fixture(scope="module")
def crashing(own_deployment: Deployment) -> Deployment:
    """A deployment whose task types are known, with no server and no worker: each would publish."""
    own_deployment.start_worker("--queues=idle-1", "--pool=solo").stop()
    return own_deployment


@pytest.fixture
def server(crashing: Deployment) -> Iterator[Process]:
    """A server that has published before: what it needs for it is there."""
    with crashing.start_server() as server:
        warm = crashing.client().submit("journal.run", queue="idle-1")
        with crashing.start_worker("--queues=idle-1", "--pool=solo"):
            assert warm.wait(30).state is State.SUCCEEDED
        yield server


def submit_some(deployment: Deployment, number: int) -> list[TaskHandle]:
    client = deployment.client()
    with ThreadPoolExecutor(10) as pool:
        return list(
            pool.map(lambda n: client.submit("journal.run", kwargs={"value": n}), range(number))
        )


def waiting_in_outbox(deployment: Deployment, handles: Iterable[TaskHandle]) -> set[str]:
    with deployment.database.read() as tx:
        found = set(tx.execute(select(outbox.c.task_id)).scalars())
    return found & {handle.id for handle in handles}


def check_each_ran_once(deployment: Deployment, handles: list[TaskHandle]) -> None:
    """Bring all back to life and see every task through."""
    with deployment.start_server(), deployment.start_worker("--concurrency=4"):
        finals = [handle.wait(60) for handle in handles]
    # The worker has drained: a second message of a task would have run by now.
    assert {(task.state, task.attempt) for task in finals} == {(State.SUCCEEDED, 1)}
    assert [task.result for task in finals] == [task.kwargs["value"] for task in finals]
    once = {handle.id: 1 for handle in handles}
    for word in ("start", "end"):
        count = deployment.journal.count(word)
        assert {task_id: count[task_id] for task_id in once} == once


def test_killed_between_commit_and_publish(
    crashing: Deployment, own_engines: Engines, server: Process
) -> None:
    with own_engines.broker.down():
        handles = submit_some(crashing, ANSWERED)
        server.kill()
    assert not any(own_engines.broker.has_message(handle.id) for handle in handles)
    assert len(waiting_in_outbox(crashing, handles)) == ANSWERED
    check_each_ran_once(crashing, handles)


def test_killed_between_publish_and_the_outbox_delete(
    crashing: Deployment, own_engines: Engines, server: Process
) -> None:
    with ExitStack() as lock:
        with own_engines.broker.frozen():
            handles = submit_some(crashing, ANSWERED)
            lock.enter_context(own_engines.outbox_locked())
        wait_until(
            lambda: any(own_engines.broker.has_message(handle.id) for handle in handles),
            30,
            "messages were published",
        )
        server.kill()
    published = {handle.id for handle in handles if own_engines.broker.has_message(handle.id)}
    assert published & waiting_in_outbox(crashing, handles)
    check_each_ran_once(crashing, handles)


def submit_until_answered(stub: TaskServiceStub, number: int) -> str:
    request = SubmitRequest(task_type="journal.run", request_id=f"stream-{number}")
    request.kwargs["value"] = number
    while True:
        try:
            return stub.Submit(request, timeout=30, wait_for_ready=True).task.id
        except grpc.RpcError as error:  # killed once more: the same request again
            if not isinstance(error, grpc.Call) or error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise


class Stream:
    """Clients that submit one task after another."""

    def __init__(self, deployment: Deployment) -> None:
        self._stub = deployment.stub()
        self._stop = threading.Event()
        self.answered: list[str] = []
        """The tasks' ids."""

    def run(self, first: int) -> None:
        """Submit, each time with a number that no other client uses, until told to stop."""
        for number in itertools.count(first, CLIENTS):
            if self._stop.is_set():
                return
            self.answered.append(submit_until_answered(self._stub, number))

    def wait_for_more(self, number: int) -> None:
        enough = len(self.answered) + number
        wait_until(lambda: len(self.answered) >= enough, 60, "more submits are answered")

    def stop(self) -> None:
        self._stop.set()


def kill_again_and_again(deployment: Deployment, stream: Stream) -> None:
    for _ in range(KILLS):
        server = deployment.start_server()
        stream.wait_for_more(25)
        time.sleep(random.uniform(0, 0.3))
        server.kill()


@pytest.mark.timeout(240)
def test_killed_at_random_moments_while_clients_submit(crashing: Deployment) -> None:
    stream = Stream(crashing)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(stream.run, first) for first in range(CLIENTS)]
        try:
            kill_again_and_again(crashing, stream)
        finally:
            stream.stop()
        with crashing.start_server():
            for ended in clients:
                ended.result()
    with crashing.database.read() as tx:
        recorded = tx.execute(select(tasks.c.id).where(tasks.c.request_id.like("stream-%")))
        assert sorted(recorded.scalars()) == sorted(stream.answered)
    client = crashing.client()
    check_each_ran_once(crashing, [client.task(task_id) for task_id in stream.answered])
