"""Count: what it answers, and to whom."""

from __future__ import annotations

from support.records import submit, submitted_in
from support.serving import SECONDS, refused
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import counts_pb2, task_filter_pb2, task_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def test_tasks_are_counted_by_groups(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        submit(tx, queue="a")
        submitted_in(tx, State.FAILED, queue="a")
        submitted_in(tx, State.FAILED, queue="b")
    everything = stub.Count(counts_pb2.CountRequest(), timeout=SECONDS)
    assert (everything.tasks, everything.estimated, len(everything.groups)) == (3, False, 0)
    failed = task_filter_pb2.TaskFilter(states=[task_pb2.TASK_STATE_FAILED])
    request = counts_pb2.CountRequest(filter=failed, group_by=counts_pb2.COUNT_BY_QUEUE)
    answer = stub.Count(request, timeout=SECONDS)
    assert answer.tasks == 2
    assert {one.queue: one.tasks for one in answer.groups} == {"a": 1, "b": 1}
    request = counts_pb2.CountRequest(group_by=counts_pb2.COUNT_BY_STATE)
    answer = stub.Count(request, timeout=SECONDS)
    assert {one.state: one.tasks for one in answer.groups} == {
        task_pb2.TASK_STATE_FAILED: 2,
        task_pb2.TASK_STATE_QUEUED: 1,
    }
    by_type = counts_pb2.CountRequest(group_by=counts_pb2.COUNT_BY_TASK_TYPE)
    [group] = stub.Count(by_type, timeout=SECONDS).groups
    assert (group.task_type, group.tasks) == ("demo.add", 3)


def test_what_is_refused(stub: TaskServiceStub) -> None:
    request = counts_pb2.CountRequest(filter=task_filter_pb2.TaskFilter(states=[99]))  # type: ignore[list-item]  # on purpose
    assert list(refused(stub.Count, request).violations) == ["states[0]"]
    request = counts_pb2.CountRequest(group_by=9)  # type: ignore[arg-type]  # on purpose
    assert list(refused(stub.Count, request).violations) == ["group_by"]
