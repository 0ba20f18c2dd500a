"""Abort, forced and not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest

from support.records import WORKER, read, submitted_in
from support.requests import duration, get, submit
from support.serving import SECONDS, refused, start_worker
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def abort(
    task_id: str, *, grace: float | None = None, **values: object
) -> task_service_pb2.AbortRequest:
    request = task_service_pb2.AbortRequest(id=task_id, reason="because")
    request.force = bool(values.get("force"))
    if grace is not None:
        request.grace_period.CopyFrom(duration(grace))
    return request


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
@pytest.mark.parametrize("force", [False, True])
def test_a_waiting_task_never_runs(
    stub: TaskServiceStub, database: Database, state: State, force: bool
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
    task = stub.Abort(abort(task_id, force=force), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_ABORTED
    assert task.abort.reason == "because"
    assert not task.abort.HasField("force_time")
    with database.write() as tx:
        assert transitions.claim(tx, task_id, task.attempt, WORKER) is None


def test_a_running_task_is_asked_to_stop(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    task = stub.Abort(abort(task_id), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_ABORTING
    assert not task.abort.HasField("force_time")


def test_asking_again_changes_nothing(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        running, waiting = submitted_in(tx, State.RUNNING), submitted_in(tx, State.QUEUED)
    for task_id in (running, waiting):
        first = stub.Abort(abort(task_id), timeout=SECONDS).task
        assert stub.Abort(abort(task_id), timeout=SECONDS).task == first


@pytest.mark.parametrize("details", [{"can_force": False, "pool": "threads"}, {"can_force": "yes"}])
def test_force_where_it_cannot_be_used_changes_nothing(
    stub: TaskServiceStub, database: Database, details: dict[str, Any]
) -> None:
    start_worker(database, "other@here", **details)
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, "other@here")
    refusal = refused(stub.Abort, abort(task_id, force=True))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.reason == "CANNOT_FORCE_ABORT"
    assert refusal.metadata["worker"] == "other@here"
    assert refusal.metadata["task_id"] == task_id
    assert read(database, task_id).state is State.RUNNING


def test_force_on_a_worker_without_a_record(stub: TaskServiceStub, database: Database) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, "forgotten@here")
    assert refused(stub.Abort, abort(task_id, force=True)).reason == "CANNOT_FORCE_ABORT"


@pytest.mark.parametrize(("grace", "seconds"), [(None, 10), (0, 0), (3, 3)])
def test_force_where_it_can_be_used(
    stub: TaskServiceStub, database: Database, grace: float | None, seconds: float
) -> None:
    start_worker(database, "prefork@here", can_force=True)
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, "prefork@here")
    task = stub.Abort(abort(task_id, force=True, grace=grace), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_ABORTING
    wait = task.abort.force_time.ToDatetime() - task.abort.request_time.ToDatetime()
    assert abs(wait - timedelta(seconds=seconds)) < timedelta(seconds=1)


def test_the_abort_is_kept_with_a_task_that_succeeded(
    stub: TaskServiceStub, database: Database
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    stub.Abort(abort(task_id), timeout=SECONDS)
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 1, "3")
    task = stub.Get(get(task_id), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_SUCCEEDED
    assert task.abort.reason == "because"
