"""List, ListTaskTypes and ListWorkers over gRPC. What a filter finds is the store's business."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from support.records import FAILURE, WORKER, new_task, submit, submitted_in
from support.serving import SECONDS, Refusal, parameter, refused, register, start_worker
from taskgate.store import submission, transitions, workers
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import task_pb2, task_service_pb2, worker_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def pages(call: Any, request: Any, field: str, *, are_full: bool = True) -> list[Any]:
    """What all pages hold. The client takes none of 4 MiB."""
    found: list[Any] = []
    while True:
        page = call(request, timeout=SECONDS)
        found.extend(getattr(page, field))
        if not page.next_page_token:
            return found
        assert len(getattr(page, field)) == request.page_size or not are_full
        request.page_token = page.next_page_token


def test_the_newest_tasks_come_first_page_by_page(
    stub: TaskServiceStub, database: Database
) -> None:
    ids: list[str] = []
    for _ in range(5):
        with database.write() as tx:
            new_tasks = [new_task() for _ in range(5)]
            submission.submit(tx, new_tasks)
            ids.extend(new.id for new in new_tasks)
    request = task_service_pb2.ListRequest(page_size=7)
    listed = pages(stub.List, request, "tasks")
    assert sorted(task.id for task in listed) == sorted(ids)
    order = [(task.create_time.ToNanoseconds(), task.id) for task in listed]
    assert order == sorted(order, reverse=True)


def test_a_page_that_is_just_full_is_the_last(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        submission.submit(tx, [new_task() for _ in range(5)])
    page = stub.List(task_service_pb2.ListRequest(page_size=5), timeout=SECONDS)
    assert len(page.tasks) == 5
    assert not page.next_page_token


def test_views(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        submitted_in(tx, State.FAILED)
    request = task_service_pb2.ListRequest()
    [basic] = stub.List(request, timeout=SECONDS).tasks
    assert not basic.HasField("args")
    assert not basic.attempts
    assert basic.error.message
    assert not basic.error.traceback
    request.view = task_service_pb2.TASK_VIEW_FULL
    [full] = stub.List(request, timeout=SECONDS).tasks
    assert full.HasField("args")
    assert full.attempts[0].error.traceback


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ({"states": [task_pb2.TASK_STATE_FAILED, task_pb2.TASK_STATE_QUEUED]}, True),
        ({"states": [task_pb2.TASK_STATE_QUEUED]}, False),
        ({"task_types": ["demo.add"]}, True),
        ({"task_types": ["demo.a"]}, False),
        ({"queues": ["celery"], "labels": {"a": "b"}}, True),
        ({"queues": ["celery"], "labels": {"a": "c"}}, False),
        ({"create_time_from": {"seconds": 1}}, True),
        ({"create_time_before": {"seconds": 1}}, False),
    ],
)
def test_filters(
    stub: TaskServiceStub, database: Database, filters: dict[str, Any], fits: bool
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED, labels={"a": "b"})
    listed = stub.List(task_service_pb2.ListRequest(**filters), timeout=SECONDS).tasks
    assert [task.id for task in listed] == ([task_id] if fits else [])


def test_a_chain_of_retries(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED)
        submitted_in(tx, State.FAILED)
    retry = stub.Retry(task_service_pb2.RetryRequest(id=task_id), timeout=SECONDS).task.id
    request = task_service_pb2.ListRequest(root_id=task_id.upper())
    assert {task.id for task in stub.List(request, timeout=SECONDS).tasks} == {task_id, retry}


def test_a_token_belongs_to_its_filter(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        submission.submit(tx, [new_task() for _ in range(3)])
    request = task_service_pb2.ListRequest(page_size=1, queues=["celery"])
    token = stub.List(request, timeout=SECONDS).next_page_token
    other = task_service_pb2.ListRequest(page_size=1, queues=["other"], page_token=token)
    refusal = refused(stub.List, other)
    assert refusal.reason == "PAGE_TOKEN_INVALID"
    assert "other filters" in refusal.violations["page_token"]


@pytest.mark.parametrize("token", ["x", "é", "e30=", "W10=", "WyJ4Il0=", "!" * 2000])
@pytest.mark.parametrize("call", ["List", "ListTaskTypes", "ListWorkers"])
def test_a_token_of_nobody(stub: TaskServiceStub, call: str, token: str) -> None:
    request = getattr(task_service_pb2, f"{call}Request")(page_token=token)
    assert refused(getattr(stub, call), request).reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"states": [99]}, "states[0]"),
        ({"states": [0]}, "states[0]"),
        ({"task_types": ["x"] * 101}, "task_types"),
        ({"queues": ["a\0"]}, "queues[0]"),
        ({"labels": {"k" * 64: ""}}, f"labels.{'k' * 64}"),
        ({"create_time_from": {"seconds": 1 << 60}}, "create_time_from"),
        ({"root_id": "x" * 256}, "root_id"),
        ({"page_size": -1}, "page_size"),
    ],
)
def test_wrong_filters(stub: TaskServiceStub, fields: dict[str, Any], field: str) -> None:
    refusal = refused(stub.List, task_service_pb2.ListRequest(**fields))
    assert list(refusal.violations) == [field]


def test_task_types(stub: TaskServiceStub, database: Database) -> None:
    register(
        database,
        "demo.typed",
        parameter("x", {"type": "integer"}, kind="POSITIONAL_ONLY"),
        parameter("y", {"anyOf": [{"type": "string"}, {"type": "null"}]}, required=False),
        parameter("z", {"$ref": "#/$defs/Point"}, kind="KEYWORD_ONLY"),
        doc="Types.",
        signature="(x: int, /, y: str | None = …, *, z: Point)",
        queue="typed",
        defs={"Point": {"type": "object"}},
        options={"max_retries": 2, "at_most_once": True},
    )
    request = task_service_pb2.ListTaskTypesRequest(page_size=2)
    types = pages(stub.ListTaskTypes, request, "task_types")
    assert [one.name for one in types] == ["demo.add", "demo.anything", "demo.echo", "demo.typed"]
    typed = types[-1]
    assert typed.signature == "(x: int, /, y: str | None = …, *, z: Point)"
    assert (typed.doc, typed.queue, typed.revision) == ("Types.", "typed", 1)
    assert (typed.max_attempts, typed.at_most_once) == (3, True)
    assert MessageToDict(typed.arguments_schema) == {
        "type": "object",
        "properties": {
            "y": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "z": {"$ref": "#/$defs/Point"},
        },
        "required": ["z"],
        "additionalProperties": False,
        "$defs": {"Point": {"type": "object"}},
    }
    assert types[1].signature == "(*args, **kwargs)"


def test_workers(stub: TaskServiceStub, database: Database) -> None:
    start_worker(database, "gone@here", pool="threads", host="h", pid=7, concurrency=3)
    with database.write() as tx:
        assert workers.stop(tx, "gone@here")
        submitted_in(tx, State.RUNNING)
    request = task_service_pb2.ListWorkersRequest(page_size=1)
    gone, here = pages(stub.ListWorkers, request, "workers")
    assert (gone.id, gone.state) == ("gone@here", worker_pb2.WORKER_STATE_STOPPED)
    assert (gone.host, gone.pid, gone.pool, gone.concurrency) == ("h", 7, "threads", 3)
    assert gone.HasField("stop_time")
    assert (here.id, here.state, here.active_tasks) == (WORKER, worker_pb2.WORKER_STATE_ALIVE, 1)
    assert here.queues == ["celery"]
    alive = task_service_pb2.ListWorkersRequest(alive_only=True)
    assert [one.id for one in stub.ListWorkers(alive, timeout=SECONDS).workers] == [WORKER]


@pytest.mark.parametrize(
    "view", [task_service_pb2.TASK_VIEW_BASIC, task_service_pb2.TASK_VIEW_FULL]
)
def test_pages_stay_below_what_clients_take(
    stub: TaskServiceStub, database: Database, view: task_service_pb2.TaskView.ValueType
) -> None:
    failure = replace(FAILURE, message="é" * 30_000)
    with database.write() as tx:
        ids = {submit(tx) for _ in range(150)}
        for task_id in ids:
            assert transitions.claim(tx, task_id, 1, WORKER)
            assert transitions.fail(tx, task_id, 1, failure)
    request = task_service_pb2.ListRequest(page_size=1_000, view=view)
    listed = pages(stub.List, request, "tasks", are_full=False)
    assert len(listed) == 150
    assert {task.id for task in listed} == ids


def test_task_types_with_large_schemas(stub: TaskServiceStub, database: Database) -> None:
    doc = "x" * 1_000_000
    for number in range(8):
        register(database, f"large.{number}", parameter("x"), doc=doc)
    request = task_service_pb2.ListTaskTypesRequest()
    types = pages(stub.ListTaskTypes, request, "task_types", are_full=False)
    assert [one.name for one in types][-8:] == [f"large.{number}" for number in range(8)]


def test_a_call_says_the_servers_version(stub: TaskServiceStub) -> None:
    _, call = stub.List.with_call(task_service_pb2.ListRequest(), timeout=SECONDS)
    assert dict(call.trailing_metadata() or ())["taskgate-version"] == version("taskgate")
    with pytest.raises(grpc.RpcError) as caught:
        stub.Get(task_service_pb2.GetRequest(id="nothing"), timeout=SECONDS)
    assert isinstance(caught.value, grpc.Call)
    trailing = dict(caught.value.trailing_metadata() or ())
    assert trailing["taskgate-version"] == version("taskgate")
    assert Refusal(caught.value).reason == "TASK_NOT_FOUND"
