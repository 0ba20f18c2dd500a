"""Retry: a new task in the place of a final one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.records import submitted_in
from support.requests import arguments_of, get
from support.serving import SECONDS, parameter, refused, register
from taskgate.store import submission
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.record import RetryPolicy, new_task_id
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

KEPT = [
    "task_type",
    "args",
    "kwargs",
    "arguments_json",
    "queue",
    "priority",
    "labels",
    "run_timeout",
    "retry_policy",
    "max_attempts",
]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_the_same_again(stub: TaskServiceStub, database: Database, state: State) -> None:
    policy = RetryPolicy(max_attempts=7, jitter=True, non_retryable_errors=("ValueError",))
    with database.write() as tx:
        task_id = submitted_in(
            tx,
            state,
            priority=8,
            labels={"a": "b"},
            run_timeout=timedelta(seconds=1.5),
            retry_policy=policy,
            max_attempts=7,
        )
    first = stub.Get(get(task_id), timeout=SECONDS).task
    again = stub.Retry(task_service_pb2.RetryRequest(id=task_id), timeout=SECONDS).task
    assert again.state == task_pb2.TASK_STATE_QUEUED
    assert again.id != task_id
    assert again.retry_of == again.root_id == task_id
    for name in KEPT:
        assert getattr(again, name) == getattr(first, name)
    assert again.retry_policy.jitter
    assert not again.HasField("error")


def test_the_lineage(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        first = submitted_in(tx, State.ABORTED)
    second = stub.Retry(task_service_pb2.RetryRequest(id=first), timeout=SECONDS).task
    stub.Abort(task_service_pb2.AbortRequest(id=second.id), timeout=SECONDS)
    third = stub.Retry(task_service_pb2.RetryRequest(id=second.id), timeout=SECONDS).task
    assert (third.retry_of, third.root_id) == (second.id, first)


def test_other_arguments(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED)
    request = task_service_pb2.RetryRequest(id=task_id, replace_arguments=True)
    request.kwargs.update({"x": 3, "y": 4})
    task = stub.Retry(request, timeout=SECONDS).task
    assert arguments_of(task) == {"args": [], "kwargs": {"x": 3, "y": 4}}


def test_no_arguments_in_the_place_of_some(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED, task_type="demo.anything")
    request = task_service_pb2.RetryRequest(id=task_id, replace_arguments=True)
    assert arguments_of(stub.Retry(request, timeout=SECONDS).task) == {"args": [], "kwargs": {}}


def test_arguments_that_do_not_fit_any_more(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED)
    register(database, "demo.add", parameter("x"), parameter("y"), parameter("z"))
    refusal = refused(stub.Retry, task_service_pb2.RetryRequest(id=task_id))
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert "'z' is missing" in refusal.violations["kwargs.z"]


def test_a_type_that_nobody_knows(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED, task_type="demo.gone")
    refusal = refused(stub.Retry, task_service_pb2.RetryRequest(id=task_id))
    assert refusal.reason == "TASK_TYPE_UNKNOWN"


def test_a_task_of_another_program_that_json_does_not_know(
    stub: TaskServiceStub, database: Database
) -> None:
    task_id = new_task_id()
    with database.write() as tx:
        values = {
            "id": task_id,
            "task_type": "demo.echo",
            "state": State.SUCCEEDED,
            "queue": "celery",
            "arguments": '{"args": [NaN], "kwargs": {}}',
            "result": "NaN",
        }
        assert submission.adopt(tx, values)
    assert stub.Get(get(task_id), timeout=SECONDS).task.arguments_json == values["arguments"]
    refusal = refused(stub.Retry, task_service_pb2.RetryRequest(id=task_id))
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert "NaN is not JSON" in refusal.violations["id"]
