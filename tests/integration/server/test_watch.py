"""Watch: every task's newest state, to everyone, from one poller."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import grpc
import pytest

from support.records import WORKER, recorded_statements, submitted_in
from support.requests import submit, watch
from support.serving import SECONDS, InProcessServer, is_unavailable, refused
from support.waiting import wait_until
from taskgate.server.background import watcher
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.record import new_task_id
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def tasks_of(responses: Iterable[task_service_pb2.WatchResponse]) -> Iterator[task_pb2.Task]:
    for response in responses:
        yield response.task


def test_a_life(stub: TaskServiceStub, database: Database) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    tasks = tasks_of(stub.Watch(watch({task_id: 0}), timeout=SECONDS))
    assert next(tasks).state == task_pb2.TASK_STATE_QUEUED
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)
    assert next(tasks).state == task_pb2.TASK_STATE_RUNNING
    with database.write() as tx:
        meta = '{"state": "PROGRESS", "meta": {"current": 1, "total": 2, "message": "half"}}'
        assert transitions.report(tx, task_id, 1, meta)
    progress = next(tasks).progress
    assert (progress.current, progress.total, progress.message) == (1, 2, "half")
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 1, "3")
    assert [task.state for task in tasks] == [task_pb2.TASK_STATE_SUCCEEDED]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_final_is_sent_once(
    stub: TaskServiceStub, database: Database, state: State
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
    [task] = tasks_of(stub.Watch(watch({task_id: 0}), timeout=SECONDS))
    again = stub.Watch(watch({task_id: task.version}), timeout=SECONDS)
    assert list(again) == []


def test_going_on_after_the_last_version_seen(stub: TaskServiceStub, database: Database) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)
    tasks = tasks_of(stub.Watch(watch({task_id: 1}), timeout=SECONDS))
    assert next(tasks).version == 2
    tasks = tasks_of(stub.Watch(watch({task_id: 2}), timeout=SECONDS))
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 1, "3")
    assert [task.version for task in tasks] == [3]


def test_a_basic_view(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED)
    [task] = tasks_of(
        stub.Watch(watch({task_id: 0}, view=task_service_pb2.TASK_VIEW_BASIC), timeout=SECONDS)
    )
    assert not task.HasField("args")
    assert not task.attempts
    assert task.error.message
    assert not task.error.traceback


def test_a_task_without_a_record(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        waiting = submitted_in(tx, State.QUEUED)
    responses = stub.Watch(watch({waiting: 0, new_task_id(): 0}), timeout=SECONDS)
    with pytest.raises(grpc.RpcError) as caught:
        list(responses)
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_wrong_requests(stub: TaskServiceStub) -> None:
    def watch_all(message: task_service_pb2.WatchRequest, timeout: float) -> None:
        list(stub.Watch(message, timeout=timeout))

    task_id = new_task_id()
    assert list(refused(watch_all, watch({})).violations) == ["tasks"]
    assert list(refused(watch_all, watch({"": 0})).violations) == ["tasks[0].id"]
    negative = refused(watch_all, watch({task_id: -1}))
    assert list(negative.violations) == ["tasks[0].seen_version"]
    twice = watch({task_id: 0})
    twice.tasks.add(id=task_id)
    assert list(refused(watch_all, twice).violations) == ["tasks[1].id"]
    many = watch({new_task_id(): 0 for _ in range(1001)})
    assert list(refused(watch_all, many).violations) == ["tasks"]


def test_a_thousand_watchers(server: InProcessServer, database: Database) -> None:
    stub = server.stub()
    with database.write() as tx:
        ids = [submitted_in(tx, State.QUEUED) for _ in range(10)]
    streams = [stub.Watch(watch({ids[n % 10]: 0}), timeout=60) for n in range(1000)]
    assert {next(stream).task.state for stream in streams} == {task_pb2.TASK_STATE_QUEUED}
    with database.write() as tx:
        for task_id in ids:
            transitions.request_abort(tx, task_id, by="", reason="")
    ends = [response.task.state for stream in streams for response in stream]
    assert ends == [task_pb2.TASK_STATE_ABORTED] * 1000
    wait_until(lambda: not server.server._watcher._watching, what="no subscription left")


def test_a_slow_reader_gets_the_newest_state(stub: TaskServiceStub, database: Database) -> None:
    """However much it misses: the server keeps one state a task for it, never a queue."""
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    text = "x" * 100_000
    responses = stub.Watch(watch({task_id: 0}), timeout=60)
    next(responses)
    for number in range(200):
        meta = f'{{"state": "PROGRESS", "meta": {{"current": {number}, "message": "{text}"}}}}'
        with database.write() as tx:
            assert transitions.report(tx, task_id, 1, meta)
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 1, "3")
    versions = [response.task.version for response in responses]
    assert versions == sorted(set(versions))
    assert versions[-1] == 203


def test_watchers_that_vanish_leave_nothing_behind(
    server: InProcessServer, database: Database
) -> None:
    stub = server.stub()
    with database.write() as tx:
        task_id = submitted_in(tx, State.QUEUED)
    streams = [stub.Watch(watch({task_id: 0}), timeout=SECONDS) for _ in range(20)]
    for stream in streams:
        next(stream)
        stream.cancel()
    wait_until(lambda: not server.server._watcher._watching, what="no subscription left")


def test_a_watch_goes_on_with_another_server(server: InProcessServer, database: Database) -> None:
    task_id = server.stub().Submit(submit(), timeout=SECONDS).task.id
    seen: list[int] = []
    begun = threading.Event()
    unavailable: list[bool] = []

    def follow() -> None:
        version = 0
        for one in (server, other):
            try:
                for task in tasks_of(one.stub().Watch(watch({task_id: version}), timeout=60)):
                    seen.append(version := task.version)
                    begun.set()
            except grpc.RpcError as exc:
                unavailable.append(is_unavailable(exc))

    with InProcessServer(server.settings) as other:
        thread = threading.Thread(target=follow)
        thread.start()
        assert begun.wait(SECONDS)
        server.run(server.server._watcher.close())
        with database.write() as tx:
            assert transitions.claim(tx, task_id, 1, WORKER)
            assert transitions.succeed(tx, task_id, 1, "3")
        thread.join(SECONDS)
    assert seen == [1, 3]
    assert unavailable == [True]


def test_a_new_watch_reads_its_own_tasks_only(
    server: InProcessServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "SHORTEST_TICK", 600)
    monkeypatch.setattr(watcher, "LONGEST_TICK", 600)
    stub = server.stub()
    with database.write() as tx:
        ids = [submitted_in(tx, State.QUEUED) for _ in range(200)]
    first = stub.Watch(watch(dict.fromkeys(ids, 0)), timeout=60)
    for _ in ids:
        next(first)
    with recorded_statements(server.server._database) as statements:
        second = stub.Watch(watch({ids[0]: 0}), timeout=60)
        assert next(second).task.id == ids[0]
        aborted = stub.Abort(task_service_pb2.AbortRequest(id=ids[1]), timeout=SECONDS).task
        assert next(first).task == aborted
    # The dispatcher may still write about all of them; what watches read is of the record.
    read = [str(given) for text, given in statements if "tasks.id" in text and "INSERT" not in text]
    assert any(ids[0] in given for given in read)
    assert [given for given in read if ids[2] in given] == []
