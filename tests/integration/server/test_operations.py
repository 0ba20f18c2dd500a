"""AbortTasks, RetryTasks, DeleteTasks, and the operations that they begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from support.records import read, submit, submitted_in
from support.serving import SECONDS, InProcessServer, refused
from support.tokens import bearer, line
from taskgate.server.settings import ServerSettings
from taskgate.store import queries
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import operations_pb2, task_filter_pb2, task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

EVERYTHING = task_filter_pb2.TaskFilter()


def chosen(*ids: str, **filters: Any) -> operations_pb2.TaskSelection:
    if ids:
        return operations_pb2.TaskSelection(ids=ids)
    return operations_pb2.TaskSelection(filter=task_filter_pb2.TaskFilter(**filters))


def options(**values: Any) -> operations_pb2.OperationOptions:
    return operations_pb2.OperationOptions(**values)


def ended(stub: TaskServiceStub, operation: operations_pb2.Operation) -> operations_pb2.Operation:
    request = operations_pb2.WatchOperationRequest(id=operation.id)
    *_, last = stub.WatchOperation(request, timeout=SECONDS)
    return last.operation


def test_what_waits_and_what_runs_is_aborted(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        ids = {state: submitted_in(tx, state, queue="a") for state in State}
        other = submit(tx, queue="b")
    request = operations_pb2.AbortTasksRequest(selection=chosen(queues=["a"]), reason="because")
    begun = stub.AbortTasks(request, timeout=SECONDS)
    assert (begun.total, list(begun.examples)) == (5, [])
    done = ended(stub, begun.operation)
    assert done.kind == operations_pb2.OPERATION_KIND_ABORT
    assert done.state == operations_pb2.OPERATION_STATE_DONE
    assert (done.total, done.done) == (5, 5)
    assert dict(done.outcomes) == {"ABORTED": 3, "ABORTING": 2}
    assert (list(done.filter.queues), done.reason) == (["a"], "because")
    assert read(database, ids[State.QUEUED]).abort_reason == "because"
    assert read(database, ids[State.RUNNING]).state is State.ABORTING
    assert read(database, ids[State.SUCCEEDED]).state is State.SUCCEEDED
    assert read(database, other).state is State.QUEUED


def test_what_failed_runs_again(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        failed = [submitted_in(tx, State.FAILED, labels={"n": str(n)}) for n in range(450)]
        running = submitted_in(tx, State.RUNNING)
        succeeded = submitted_in(tx, State.SUCCEEDED)
    request = operations_pb2.RetryTasksRequest(
        selection=chosen(), options=options(tasks_per_second=100_000)
    )
    done = ended(stub, stub.RetryTasks(request, timeout=SECONDS).operation)
    assert (done.done, dict(done.outcomes)) == (450, {"RETRIED": 450})
    with database.read() as tx:
        rows = tx.exec_driver_sql("SELECT id FROM taskgate_tasks WHERE retry_of IS NOT NULL")
        new = queries.get_many(tx, [row.id for row in rows])
    assert {one.retry_of for one in new.values()} == set(failed)
    assert {one.labels["n"] for one in new.values()} == {str(n) for n in range(450)}
    by_id = operations_pb2.RetryTasksRequest(selection=chosen(running, succeeded))
    done = ended(stub, stub.RetryTasks(by_id, timeout=SECONDS).operation)
    assert done.outcomes == {"RETRIED": 1, "TASK_NOT_FINAL": 1}
    [failure] = done.failures
    assert (failure.task_id, failure.reason) == (running, "TASK_NOT_FINAL")
    assert not done.HasField("filter")


def test_what_has_ended_is_deleted(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        for state in State:
            submitted_in(tx, state)
    request = operations_pb2.DeleteTasksRequest(selection=chosen())
    done = ended(stub, stub.DeleteTasks(request, timeout=SECONDS).operation)
    assert done.outcomes == {"DELETED": 4}
    left = stub.List(task_service_pb2.ListRequest(), timeout=SECONDS).tasks
    assert len(left) == 5


def test_a_retry_waits_for_room_in_its_queue(
    make_settings: Callable[..., ServerSettings], database: Database
) -> None:
    with database.write() as tx:
        for _ in range(3):
            submitted_in(tx, State.FAILED)
        waiting = submit(tx)
    with InProcessServer(make_settings(taskgate_max_queued=2)) as server:
        stub = server.stub()
        request = operations_pb2.RetryTasksRequest(selection=chosen())
        operation = stub.RetryTasks(request, timeout=SECONDS).operation
        seen = stub.WatchOperation(
            operations_pb2.WatchOperationRequest(id=operation.id), timeout=SECONDS
        )
        first = next(one.operation for one in seen if one.operation.done)
        assert first.done == 1
        for task_id in (waiting, *_waiting(stub)):
            stub.Abort(task_service_pb2.AbortRequest(id=task_id), timeout=SECONDS)
        *_, last = seen
        assert last.operation.outcomes == {"RETRIED": 3}


def _waiting(stub: TaskServiceStub) -> list[str]:
    request = task_service_pb2.ListRequest(states=[task_pb2.TASK_STATE_QUEUED])
    return [one.id for one in stub.List(request, timeout=SECONDS).tasks]


def test_a_dry_run_changes_nothing(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        ids = [submit(tx) for _ in range(12)]
    dry = options(dry_run=True)
    for selection in (chosen(), chosen(*ids)):
        request = operations_pb2.AbortTasksRequest(selection=selection, options=dry)
        answer = stub.AbortTasks(request, timeout=SECONDS)
        assert (answer.total, len(answer.examples)) == (12, 10)
        assert not answer.HasField("operation")
    listed = stub.ListOperations(operations_pb2.ListOperationsRequest(), timeout=SECONDS)
    assert not listed.operations
    assert read(database, ids[0]).state is State.QUEUED


def test_a_repeated_call_begins_nothing_new(stub: TaskServiceStub) -> None:
    request = operations_pb2.AbortTasksRequest(
        selection=chosen(), options=options(request_id="nightly")
    )
    first = stub.AbortTasks(request, timeout=SECONDS).operation
    assert stub.AbortTasks(request, timeout=SECONDS).operation.id == first.id
    request.reason = "another"
    refusal = refused(stub.AbortTasks, request)
    assert refusal.reason == "REQUEST_ID_REUSED"


def test_operations_are_listed_in_pages_and_stopped(
    database: Database, stub: TaskServiceStub
) -> None:
    with database.write() as tx:
        ids = [submit(tx) for _ in range(3)]
    slow = options(tasks_per_second=0.001)
    begun = []
    for _ in range(3):
        request = operations_pb2.AbortTasksRequest(selection=chosen(*ids), options=slow)
        begun.append(stub.AbortTasks(request, timeout=SECONDS).operation.id)
    listing = operations_pb2.ListOperationsRequest(page_size=2)
    first = stub.ListOperations(listing, timeout=SECONDS)
    listing.page_token = first.next_page_token
    second = stub.ListOperations(listing, timeout=SECONDS)
    assert [one.id for one in [*first.operations, *second.operations]] == begun[::-1]
    assert not second.next_page_token
    stop = operations_pb2.StopOperationRequest(id=begun[0])
    stopped = stub.StopOperation(stop, timeout=SECONDS).operation
    assert stopped.state == operations_pb2.OPERATION_STATE_STOPPED
    assert stopped.done < 3
    get = operations_pb2.GetOperationRequest(id=begun[0])
    assert stub.GetOperation(get, timeout=SECONDS).operation == stopped
    unknown = operations_pb2.GetOperationRequest(id="unknown")
    refusal = refused(stub.GetOperation, unknown)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (operations_pb2.AbortTasksRequest(), "selection"),
        (
            operations_pb2.AbortTasksRequest(
                selection=operations_pb2.TaskSelection(ids=["a"], filter=EVERYTHING)
            ),
            "selection",
        ),
        (
            operations_pb2.AbortTasksRequest(selection=chosen(*map(str, range(10_001)))),
            "selection.ids",
        ),
        (operations_pb2.AbortTasksRequest(selection=chosen(), reason="x" * 1_001), "reason"),
        (
            operations_pb2.AbortTasksRequest(
                selection=chosen(), options=options(tasks_per_second=-1)
            ),
            "options.tasks_per_second",
        ),
        (operations_pb2.AbortTasksRequest(selection=chosen(states=[99])), "states[0]"),
    ],
)
def test_what_is_refused(
    stub: TaskServiceStub, request_: operations_pb2.AbortTasksRequest, field: str
) -> None:
    refusal = refused(stub.AbortTasks, request_)
    assert (list(refusal.violations), refusal.reason) == ([field], "FIELD_INVALID")


def test_an_id_without_a_record(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    request = operations_pb2.AbortTasksRequest(selection=chosen(task_id, "unknown"))
    assert refused(stub.AbortTasks, request).reason == "TASK_NOT_FOUND"
    assert read(database, task_id).state is State.QUEUED


def test_a_limited_caller_works_on_what_it_sees(
    make_settings: Callable[..., ServerSettings], database: Database, tmp_path: Any
) -> None:
    path = tmp_path / "tokens"
    path.write_text(
        line("all", "all") + line("ann", "ann", "queues=a") + line("bob", "bob", "roles=read")
    )
    with database.write() as tx:
        mine, other = submit(tx, queue="a"), submit(tx, queue="b")
    with InProcessServer(make_settings(taskgate_tokens_file=path)) as server:
        stub = server.stub()
        request = operations_pb2.AbortTasksRequest(selection=chosen(other))
        refusal = refused(stub.AbortTasks, request, metadata=bearer("ann"))
        assert refusal.reason == "TASK_NOT_FOUND"
        request = operations_pb2.AbortTasksRequest(selection=chosen())
        refusal = refused(stub.AbortTasks, request, metadata=bearer("bob"))
        assert refusal.reason == "ROLE_MISSING"
        begun = stub.AbortTasks(request, metadata=bearer("ann"), timeout=SECONDS)
        assert begun.total == 1
        everything = operations_pb2.AbortTasksRequest(
            selection=chosen(), options=options(tasks_per_second=0.001)
        )
        others = stub.AbortTasks(everything, metadata=bearer("all"), timeout=SECONDS).operation
        get = operations_pb2.GetOperationRequest(id=others.id)
        refusal = refused(stub.GetOperation, get, metadata=bearer("ann"))
        assert refusal.reason == "OPERATION_NOT_FOUND"
        listing = operations_pb2.ListOperationsRequest()
        seen = stub.ListOperations(listing, metadata=bearer("ann"), timeout=SECONDS).operations
        assert [one.id for one in seen] == [begun.operation.id]
        watch = operations_pb2.WatchOperationRequest(id=begun.operation.id)
        *_, last = stub.WatchOperation(watch, metadata=bearer("ann"), timeout=SECONDS)
        assert last.operation.by == "ann"
    assert read(database, mine).state is State.ABORTED
