"""Ids that Celery programs chose: whatever is listed can be got, watched, aborted and retried."""

from __future__ import annotations

import pytest

from support.records import submitted_in
from support.requests import get, watch
from support.serving import SECONDS, refused
from taskgate.store import submission
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

UUID = "6F0A3C5E-1B2D-4E3F-8A9B-0C1D2E3F4A5B"

IDS = [
    "order-4711",
    UUID,
    UUID.replace("-", ""),
    "nightly:2026-01-01",
    "x" * 255,
    "Ünï çødé\n",
    "42",
]


def adopt(database: Database, task_id: str, state: State) -> None:
    with database.write() as tx:
        values = {"task_type": "demo.add", "queue": "celery", "state": state}
        arguments = '{"args": [1, 2], "kwargs": {}}'
        assert submission.adopt(tx, {"id": task_id, "arguments": arguments, **values})


@pytest.mark.parametrize("task_id", IDS)
def test_every_call_takes_the_id(stub: TaskServiceStub, database: Database, task_id: str) -> None:
    adopt(database, task_id, State.QUEUED)
    [listed] = stub.List(task_service_pb2.ListRequest(), timeout=SECONDS).tasks
    assert listed.id == task_id
    assert stub.Get(get(task_id), timeout=SECONDS).task.id == task_id
    updates = stub.Watch(watch({task_id: 0}), timeout=SECONDS)
    assert next(updates).task.id == task_id
    aborted = stub.Abort(task_service_pb2.AbortRequest(id=task_id), timeout=SECONDS).task
    assert (aborted.id, aborted.state) == (task_id, task_pb2.TASK_STATE_ABORTED)
    assert [update.task.state for update in updates] == [task_pb2.TASK_STATE_ABORTED]
    retried = stub.Retry(task_service_pb2.RetryRequest(id=task_id), timeout=SECONDS).task
    assert (retried.retry_of, retried.root_id) == (task_id, task_id)
    chain = task_service_pb2.ListRequest(root_id=task_id)
    assert {task.id for task in stub.List(chain, timeout=SECONDS).tasks} == {task_id, retried.id}


def test_our_ids_are_found_in_capitals(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.SUCCEEDED)
    assert stub.Get(get(task_id.upper()), timeout=SECONDS).task.id == task_id
    assert stub.Get(get(task_id.upper(), 5), timeout=SECONDS).task.id == task_id
    [update] = stub.Watch(watch({task_id.upper(): 0}), timeout=SECONDS)
    assert update.task.id == task_id
    retry = task_service_pb2.RetryRequest(id=task_id.upper())
    assert stub.Retry(retry, timeout=SECONDS).task.retry_of == task_id


def test_capitals_and_small_letters_can_be_two_tasks(
    stub: TaskServiceStub, database: Database
) -> None:
    adopt(database, UUID, State.QUEUED)
    adopt(database, UUID.lower(), State.QUEUED)
    for task_id in (UUID, UUID.lower()):
        assert stub.Get(get(task_id), timeout=SECONDS).task.id == task_id
    updates = stub.Watch(watch({UUID: 0, UUID.lower(): 0}), timeout=SECONDS)
    assert {next(updates).task.id for _ in range(2)} == {UUID, UUID.lower()}


def test_one_task_in_two_spellings_is_there_twice(
    stub: TaskServiceStub, database: Database
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.QUEUED)

    def watch_all(message: task_service_pb2.WatchRequest, timeout: float) -> None:
        list(stub.Watch(message, timeout=timeout))

    refusal = refused(watch_all, watch({task_id: 0, task_id.upper(): 0}))
    assert list(refusal.violations) == ["tasks[1].id"]


def test_ids_that_begin_so_are_listed(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        ours = [submitted_in(tx, State.SUCCEEDED) for _ in range(3)]
    for task_id in (UUID, "order-4711", "order-4712", "order%"):
        adopt(database, task_id, State.QUEUED)
    for prefix, found in {
        ours[0][:18].upper(): {one for one in ours if one.startswith(ours[0][:18])},
        ours[1]: {ours[1]},
        UUID[:9]: {UUID},
        "order-": {"order-4711", "order-4712"},
        "order%": {"order%"},
        "rder": set(),
    }.items():
        request = task_service_pb2.ListRequest(id_prefix=prefix)
        assert {task.id for task in stub.List(request, timeout=SECONDS).tasks} == found
    failed = task_service_pb2.ListRequest(id_prefix="order-", states=[task_pb2.TASK_STATE_FAILED])
    assert not stub.List(failed, timeout=SECONDS).tasks
    too_long = task_service_pb2.ListRequest(id_prefix="x" * 256)
    assert list(refused(stub.List, too_long).violations) == ["id_prefix"]
