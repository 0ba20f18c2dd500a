"""Get, and its long poll."""

from __future__ import annotations

import time

import grpc
import pytest
from sqlalchemy import event

from support.records import submitted_in
from support.requests import get, submit
from support.serving import SECONDS, InProcessServer
from support.waiting import wait_until
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import Reason, State
from taskgate.store.record import Failure
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_looked_at(
    stub: TaskServiceStub, database: Database, state: State
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
    task = stub.Get(get(task_id.upper()), timeout=SECONDS).task
    assert task.id == task_id
    assert task_pb2.TaskState.Name(task.state) == f"TASK_STATE_{state}"


def test_a_final_task_is_not_waited_for(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.SUCCEEDED)
    task = stub.Get(get(task_id, wait=60), timeout=SECONDS).task
    assert task.result.number_value == 3


def test_the_end_of_a_task_ends_the_wait(stub: TaskServiceStub, database: Database) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    call = stub.Get.future(get(task_id, wait=60), timeout=SECONDS)
    with database.write() as tx:
        transitions.claim(tx, task_id, 1, "w")
    with pytest.raises(grpc.FutureTimeoutError):
        call.result(timeout=0.5)  # RUNNING is not the end
    with database.write() as tx:
        transitions.succeed(tx, task_id, 1, "3")
    assert call.result().task.state == task_pb2.TASK_STATE_SUCCEEDED


def test_an_abort_on_this_server_ends_the_wait(stub: TaskServiceStub) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    call = stub.Get.future(get(task_id, wait=60), timeout=SECONDS)
    stub.Abort(task_service_pb2.AbortRequest(id=task_id), timeout=SECONDS)
    assert call.result().task.state == task_pb2.TASK_STATE_ABORTED


def test_when_the_time_is_over_the_task_comes_as_it_is(stub: TaskServiceStub) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    begun_at = time.monotonic()
    task = stub.Get(get(task_id, wait=0.5), timeout=SECONDS).task
    assert time.monotonic() - begun_at >= 0.5
    assert task.state == task_pb2.TASK_STATE_QUEUED


def test_the_deadline_is_met(stub: TaskServiceStub) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    task = stub.Get(get(task_id, wait=600), timeout=2).task
    assert task.state == task_pb2.TASK_STATE_QUEUED


def test_a_failed_task_says_why(stub: TaskServiceStub, database: Database) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    failure = Failure(
        Reason.EXCEPTION, "bad \ud800", type="ValueError", module="builtins", traceback="at \ud800"
    )
    with database.write() as tx:
        transitions.claim(tx, task_id, 1, "w")
        transitions.fail(tx, task_id, 1, failure)
    task = stub.Get(get(task_id), timeout=SECONDS).task
    assert task.error.reason == task_pb2.TASK_ERROR_REASON_EXCEPTION
    assert task.error.type == "builtins.ValueError"
    assert task.error.message.startswith("bad ")
    assert task.error.traceback.startswith("at ")
    [attempt] = task.attempts
    assert attempt.outcome == task_pb2.ATTEMPT_OUTCOME_FAILED
    assert attempt.error == task.error


def test_a_thousand_waiting_calls_take_few_queries(
    server: InProcessServer, database: Database
) -> None:
    stub = server.stub()
    with database.write() as tx:
        ids = [submitted_in(tx, State.QUEUED) for _ in range(100)]
    waiting = [stub.Get.future(get(task_id, wait=60), timeout=60) for task_id in ids * 10]
    watching = server.server._watcher._watching

    def all_have_seen_their_task() -> bool:
        subscriptions = [one for each in list(watching.values()) for one in list(each)]
        return len(subscriptions) == 1000 and all(min(one.seen.values()) for one in subscriptions)

    wait_until(all_have_seen_their_task, timeout=SECONDS, what="a thousand waiting calls")
    reads: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "taskgate_tasks.arguments" in statement and "outbox" not in statement:
            reads.append(statement)

    event.listen(server.server._database.engine, "before_cursor_execute", note)
    with database.write() as tx:
        for task_id in ids:
            transitions.request_abort(tx, task_id, by="", reason="")
    states = [call.result(timeout=SECONDS).task.state for call in waiting]
    assert states == [task_pb2.TASK_STATE_ABORTED] * 1000
    assert len(reads) < 10  # one for all the ends, or a few


def test_a_cancelled_wait_leaves_nothing_behind(server: InProcessServer) -> None:
    stub = server.stub()
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    calls = [stub.Get.future(get(task_id, wait=60), timeout=SECONDS) for _ in range(10)]
    with pytest.raises(grpc.FutureTimeoutError):
        calls[0].result(timeout=0.5)
    for call in calls:
        call.cancel()
    stub.Get(get(task_id, wait=0.3), timeout=SECONDS)
    assert not server.server._watcher._watching
