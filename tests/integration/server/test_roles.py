"""Roles and patterns: what a caller may call, name and see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from support.records import submitted_in
from support.requests import get, submit, watch
from support.serving import SECONDS, InProcessServer, refused, start_worker
from support.tokens import bearer, line
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import FINAL, State
from taskgate.v1 import pauses_pb2, task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NO_TASK = "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"


@pytest.fixture
def server(
    make_settings: Callable[..., ServerSettings], tmp_path: Path
) -> Iterator[InProcessServer]:
    path = tmp_path / "tokens"
    path.write_text(
        line("all", "all")
        + line("reader", "reader", "roles=read")
        + line("sender", "sender", "roles=submit")
        + line("ann", "ann", "task_types=demo.add queues=celery,fast-*")
    )
    settings = make_settings(taskgate_tokens_file=path, taskgate_queues="celery,fast-1,slow")
    with InProcessServer(settings) as server:
        yield server


def test_a_role_is_missing(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Submit, submit(), metadata=bearer("reader"))
    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
    assert refusal.reason == "ROLE_MISSING"
    assert refusal.metadata == {"caller": "reader", "role": "submit"}
    assert "Submit needs the role 'submit', and 'reader' has read" in refusal.message
    task = stub.Submit(submit(), metadata=bearer("sender"), timeout=SECONDS).task
    assert refused(stub.Get, get(task.id), metadata=bearer("sender")).reason == "ROLE_MISSING"
    stub.Get(get(task.id), metadata=bearer("reader"), timeout=SECONDS)
    abort = task_service_pb2.AbortRequest(id=task.id)
    assert refused(stub.Abort, abort, metadata=bearer("reader")).metadata["role"] == "abort"
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.Watch(watch({task.id: 0}), metadata=bearer("sender"), timeout=SECONDS))
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_what_may_be_submitted(stub: TaskServiceStub) -> None:
    for request in (submit(), submit(queue="fast-1")):
        stub.Submit(request, metadata=bearer("ann"), timeout=SECONDS)
    refusal = refused(stub.Submit, submit("demo.echo", 1), metadata=bearer("ann"))
    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
    assert refusal.reason == "TASK_TYPE_NOT_ALLOWED"
    assert refusal.metadata["allowed_task_types"] == "demo.add"
    refusal = refused(stub.Submit, submit("demo.ech", 1), metadata=bearer("ann"))
    assert refusal.reason == "TASK_TYPE_NOT_ALLOWED"
    assert "demo.echo" not in refusal.message
    refusal = refused(stub.Submit, submit(queue="slow"), metadata=bearer("ann"))
    assert refusal.reason == "QUEUE_NOT_ALLOWED"
    assert refusal.metadata["allowed_queues"] == "celery,fast-*"


def test_a_batch_says_it_of_each(stub: TaskServiceStub) -> None:
    requests = [submit(), submit("demo.echo", 1, request_id="r"), submit(queue="slow")]
    request = task_service_pb2.SubmitBatchRequest(requests=requests)
    results = stub.SubmitBatch(request, metadata=bearer("ann"), timeout=SECONDS).results
    codes = [result.error.code for result in results]
    denied = grpc.StatusCode.PERMISSION_DENIED.value[0]
    assert codes == [0, denied, denied]


@pytest.fixture
def hidden(database: Database) -> list[str]:
    """Tasks that are outside ann's patterns, by their type or their queue."""
    with database.write() as tx:
        return [
            submitted_in(tx, State.SUCCEEDED, task_type="demo.echo"),
            submitted_in(tx, State.QUEUED, task_type="demo.echo", queue="fast-1"),
            submitted_in(tx, State.QUEUED, task_type="demo.add", queue="slow"),
        ]


@pytest.mark.parametrize("seen_version", [0, 1, 99])
def test_what_is_not_seen_is_not_there(
    stub: TaskServiceStub, hidden: list[str], seen_version: int
) -> None:
    def answers(task_id: str) -> list[tuple[grpc.StatusCode, str]]:
        calls: list[tuple[Any, Any]] = [
            (stub.Get, get(task_id)),
            (stub.Get, get(task_id, wait=60)),
            (stub.Abort, task_service_pb2.AbortRequest(id=task_id)),
            (stub.Retry, task_service_pb2.RetryRequest(id=task_id)),
            (lambda *a, **k: list(stub.Watch(*a, **k)), watch({task_id: seen_version})),
        ]
        refusals = [refused(call, request, metadata=bearer("ann")) for call, request in calls]
        return [(one.code, one.message.replace(task_id, "ID")) for one in refusals]

    nothing = answers(NO_TASK)
    assert {code for code, _ in nothing} == {grpc.StatusCode.NOT_FOUND}
    for task_id in hidden:
        assert answers(task_id) == nothing
        task = stub.Get(get(task_id), metadata=bearer("all"), timeout=SECONDS).task
        assert not task.HasField("abort")


def test_lists_leave_it_out(stub: TaskServiceStub, database: Database, hidden: list[str]) -> None:
    with database.write() as tx:
        own = {submitted_in(tx, state, queue=q) for state in State for q in ("celery", "fast-2")}
    page = task_service_pb2.ListRequest(page_size=5)
    found: list[str] = []
    while True:
        answer = stub.List(page, metadata=bearer("ann"), timeout=SECONDS)
        found += [task.id for task in answer.tasks]
        if not answer.next_page_token:
            break
        page.page_token = answer.next_page_token
    assert sorted(found) == sorted(own)
    for wanted in (
        {"task_types": ["demo.echo"]},
        {"queues": ["slow"]},
        {"id_prefix": hidden[0]},
        {"root_id": hidden[0]},
    ):
        request = task_service_pb2.ListRequest(**wanted)
        assert not stub.List(request, metadata=bearer("ann"), timeout=SECONDS).tasks
        assert stub.List(request, metadata=bearer("all"), timeout=SECONDS).tasks
    both = task_service_pb2.ListRequest(task_types=["demo.echo", "demo.add"], queues=["fast-2"])
    assert len(stub.List(both, metadata=bearer("ann"), timeout=SECONDS).tasks) == len(State)


def test_an_empty_record_lists_nothing(stub: TaskServiceStub) -> None:
    request = task_service_pb2.ListRequest()
    assert not stub.List(request, metadata=bearer("ann"), timeout=SECONDS).tasks


def test_so_do_types_workers_queues_and_stats(
    stub: TaskServiceStub, database: Database, hidden: list[str]
) -> None:
    start_worker(database, "slow@here", queues=["slow"])
    with database.write() as tx:
        submitted_in(tx, State.QUEUED)
    ann = {"metadata": bearer("ann"), "timeout": SECONDS}
    types = stub.ListTaskTypes(task_service_pb2.ListTaskTypesRequest(), **ann).task_types
    assert [one.name for one in types] == ["demo.add"]
    workers = stub.ListWorkers(task_service_pb2.ListWorkersRequest(), **ann).workers
    assert [list(worker.queues) for worker in workers] == [["celery"]]
    queues = stub.ListQueues(task_service_pb2.ListQueuesRequest(), **ann).queues
    assert [(one.name, one.activity.queued) for one in queues] == [("celery", 1), ("fast-1", 0)]
    stats = stub.GetStats(task_service_pb2.GetStatsRequest(queues=["slow", "celery"]), **ann)
    assert [one.activity.queued for one in stats.queues] == [0, 1]
    assert [one.task_type for one in stats.types] == ["demo.add"]
    assert stats.activity.queued == 1
    final = {task_pb2.TaskState.Value(f"TASK_STATE_{state}") for state in FINAL}
    assert not final & {one.state for one in stats.states}
    assert stats.worker_count == 1


def test_pauses_are_an_admins_within_its_patterns(stub: TaskServiceStub) -> None:
    demo = pauses_pb2.PauseRequest(task_type="demo.add")
    assert refused(stub.Pause, demo, metadata=bearer("reader")).metadata["role"] == "admin"
    stub.Pause(demo, metadata=bearer("ann"), timeout=SECONDS)
    slow = pauses_pb2.PauseRequest(queue="slow")
    assert refused(stub.Pause, slow, metadata=bearer("ann")).reason == "QUEUE_NOT_ALLOWED"
    echo = pauses_pb2.ResumeRequest(task_type="demo.echo")
    assert refused(stub.Resume, echo, metadata=bearer("ann")).reason == "TASK_TYPE_NOT_ALLOWED"
    stub.Pause(slow, metadata=bearer("all"), timeout=SECONDS)
    everything = pauses_pb2.ListPausesRequest()
    seen = stub.ListPauses(everything, metadata=bearer("ann"), timeout=SECONDS).pauses
    assert [one.task_type for one in seen] == ["demo.add"]
    assert len(stub.ListPauses(everything, metadata=bearer("reader"), timeout=SECONDS).pauses) == 2
