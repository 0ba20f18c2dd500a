"""A full queue: refused with when to come back, and no other queue is the worse for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import grpc
import pytest
from google.rpc import error_details_pb2

from support.records import submitted_in
from support.requests import submit
from support.serving import SECONDS, InProcessServer, refused
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

MOST = 3


@pytest.fixture
def server(make_settings: Callable[..., ServerSettings]) -> Iterator[InProcessServer]:
    settings = make_settings(taskgate_max_queued=MOST, taskgate_queues=("celery", "other"))
    with InProcessServer(settings) as server:
        yield server


def fill(stub: TaskServiceStub) -> list[str]:
    return [stub.Submit(submit(), timeout=SECONDS).task.id for _ in range(MOST)]


def test_a_full_queue_refuses_until_something_has_left_it(
    stub: TaskServiceStub, database: Database
) -> None:
    first, *_ = fill(stub)

    error = refused(stub.Submit, submit())
    assert error.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.reason == "QUEUE_FULL"
    assert error.metadata["queue"] == "celery"
    stub.Submit(submit(queue="other"), timeout=SECONDS)

    with database.write() as tx:
        assert transitions.claim(tx, first, 1, "worker") is not None
        assert transitions.succeed(tx, first, 1, "3")

    def has_room() -> bool:
        try:
            stub.Submit(submit(), timeout=SECONDS)
        except grpc.RpcError:
            return False
        return True

    wait_until(has_room, 10, "the queue has room")


def test_the_items_of_a_batch_that_do_not_fit_are_refused(stub: TaskServiceStub) -> None:
    batch = task_service_pb2.SubmitBatchRequest(requests=[submit()] * (MOST + 2))
    results = stub.SubmitBatch(batch, timeout=SECONDS).results
    assert [result.WhichOneof("outcome") for result in results] == ["task"] * MOST + ["error"] * 2
    retry = error_details_pb2.RetryInfo()
    assert results[-1].error.details[1].Unpack(retry)
    assert retry.retry_delay.seconds > 0


def test_a_retry_counts_like_any_other(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        failed = submitted_in(tx, State.FAILED)
    fill(stub)
    retry = task_service_pb2.RetryRequest(id=failed)
    assert refused(stub.Retry, retry).reason == "QUEUE_FULL"
