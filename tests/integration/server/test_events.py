"""ListEvents: who did what, what became of it, and waiting for what happens next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.records import WORKER, submitted_in
from support.requests import duration, submit
from support.serving import SECONDS, InProcessServer, refused, start_worker
from support.tokens import bearer, line
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import events_pb2, pauses_pb2, task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NO_TASK = "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"
WAIT = duration(SECONDS)
ALICE, BOB = bearer("apple"), bearer("berry")


@pytest.fixture
def server(
    make_settings: Callable[..., ServerSettings], tmp_path: Path
) -> Iterator[InProcessServer]:
    path = tmp_path / "tokens"
    path.write_text(line("alice", "apple") + line("bob", "berry", "task_types=demo.echo"))
    with InProcessServer(make_settings(taskgate_tokens_file=path)) as server:
        yield server


def listed(
    stub: TaskServiceStub, *, by: Any = ALICE, **fields: Any
) -> events_pb2.ListEventsResponse:
    request = events_pb2.ListEventsRequest(**fields)
    return stub.ListEvents(request, metadata=by, timeout=2 * SECONDS)


def kinds(answer: events_pb2.ListEventsResponse) -> list[str]:
    names = events_pb2.EventKind.Name
    return [names(event.kind).removeprefix("EVENT_KIND_") for event in answer.events]


def followed(stub: TaskServiceStub, number: int, **fields: Any) -> list[events_pb2.Event]:
    """So many events, waited for."""
    found: list[events_pb2.Event] = []
    while len(found) < number:
        answer = listed(stub, wait=WAIT, **fields)
        assert answer.events
        found += answer.events
        fields["after"] = answer.cursor
    return found


def test_who_did_what(stub: TaskServiceStub, database: Database) -> None:
    options: Any = {"metadata": ALICE, "timeout": SECONDS}
    task = stub.Submit(submit(request_id="order-1"), **options).task
    abort = task_service_pb2.AbortRequest(id=task.id, reason="wrong customer")
    stub.Abort(abort, **options)
    again = stub.Retry(task_service_pb2.RetryRequest(id=task.id), **options).task
    submitted, called, ended, retried = followed(stub, 4)
    assert [one.task_id for one in (submitted, called, ended)] == [task.id] * 3
    assert {one.caller for one in (submitted, called, ended, retried)} == {"alice"}
    assert (submitted.request_id, submitted.state) == ("order-1", 0)
    assert (called.call, called.detail) == ("Abort", "wrong customer")
    assert ended.state == task_pb2.TASK_STATE_ABORTED
    assert (retried.task_id, retried.retry_of) == (again.id, task.id)
    for one in (submitted, called, retried):
        assert one.peer.startswith("ipv4:127.0.0.1:")
    assert submitted.time.ToDatetime() == task.create_time.ToDatetime()
    assert len({one.id for one in (submitted, called, ended, retried)}) == 4


def test_a_forced_abort_says_so_each_time(
    make_settings: Callable[..., ServerSettings], database: Database
) -> None:
    start_worker(database, "forcing@here", can_force=True)
    with database.write() as tx:
        task_id = submitted_in(tx, State.QUEUED)
        assert transitions.claim(tx, task_id, 1, "forcing@here")
    with InProcessServer(make_settings()) as server:
        stub = server.stub()
        for request in (
            task_service_pb2.AbortRequest(id=task_id),
            task_service_pb2.AbortRequest(
                id=task_id, force=True, grace_period=duration(60), reason="stuck"
            ),
        ):
            stub.Abort(request, timeout=SECONDS)
        calls = [events_pb2.EVENT_KIND_CALLED]
        found = followed(stub, 2, task_id=task_id, kinds=calls)
        assert [one.detail for one in found] == ["", "within 60 s, by force: stuck"]


def test_pauses_are_told_to_those_whom_they_concern(stub: TaskServiceStub) -> None:
    options: Any = {"metadata": ALICE, "timeout": SECONDS}
    stub.Pause(pauses_pb2.PauseRequest(task_type="demo.echo", reason="ill"), **options)
    stub.Resume(pauses_pb2.ResumeRequest(task_type="demo.echo"), **options)
    stub.Pause(pauses_pb2.PauseRequest(task_type="demo.add"), **options)
    told = [(one.call, one.task_type, one.detail) for one in followed(stub, 3)]
    assert told == [
        ("Pause", "demo.echo", "ill"),
        ("Resume", "demo.echo", ""),
        ("Pause", "demo.add", ""),
    ]
    assert [one.call for one in listed(stub, by=BOB).events] == ["Pause", "Resume"]


def test_a_task_is_followed_to_its_end(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.QUEUED)
    [submitted] = followed(stub, 1, task_id=task_id)
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(followed, stub, 2, task_id=task_id, after=submitted.cursor)
        with database.write() as tx:
            assert transitions.claim(tx, task_id, 1, WORKER)
        with database.write() as tx:
            assert transitions.succeed(tx, task_id, 1, "3")
        started, ended = waiting.result(60)
    assert (started.attempt, started.worker) == (1, WORKER)
    assert ended.outcome == task_pb2.ATTEMPT_OUTCOME_SUCCEEDED
    assert ended.start_time == started.time
    assert not listed(stub, task_id=task_id, after=ended.cursor).events


def test_pages_go_on_where_they_ended(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        ids = [submitted_in(tx, State.SUCCEEDED) for _ in range(5)]
    wanted: Any = {"kinds": [events_pb2.EVENT_KIND_ENDED], "page_size": 2}
    assert [one.task_id for one in followed(stub, 5, **wanted)] == ids
    first = listed(stub, **wanted)
    assert first.has_more
    assert first.cursor == first.events[-1].cursor
    second = listed(stub, **wanted, after=first.events[0].cursor)
    assert second.events[0].id == first.events[1].id
    third = listed(stub, **wanted, time_from=first.events[1].time)
    assert third.events[0].id in {first.events[0].id, first.events[1].id}
    nothing = listed(stub, after=followed(stub, 10)[-1].cursor)
    assert not nothing.events
    assert not nothing.has_more


def test_waiting_ends_with_its_time(stub: TaskServiceStub) -> None:
    answer = listed(stub, wait=duration(0.6))
    assert not answer.events
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(listed, stub, wait=WAIT, after=answer.cursor)
        stub.Submit(submit(), metadata=ALICE, timeout=SECONDS)
        assert kinds(waiting.result(60)) == ["SUBMITTED"]


def test_a_server_that_stops_answers_those_who_wait(
    make_settings: Callable[..., ServerSettings],
) -> None:
    request = events_pb2.ListEventsRequest(wait=duration(600))
    settings = make_settings(taskgate_drain_seconds=30)
    with ThreadPoolExecutor() as threads, InProcessServer(settings) as server:
        waiting = threads.submit(server.stub().ListEvents, request)
        interceptor = server.server._interceptor
        wait_until(lambda: interceptor.calls_under_way == 1, SECONDS, "the call waits")
        server.run(server.server.stop())
        assert not waiting.result(SECONDS).events


def test_who_does_not_see_a_task_does_not_see_its_events(
    stub: TaskServiceStub, database: Database
) -> None:
    with database.write() as tx:
        hidden = submitted_in(tx, State.SUCCEEDED)
        shown = submitted_in(tx, State.SUCCEEDED, task_type="demo.echo")
    followed(stub, 4)
    answer = listed(stub, by=BOB)
    assert {one.task_id for one in answer.events} == {shown}
    one_by_one = listed(stub, by=BOB, page_size=1)
    while one_by_one.has_more:
        assert {one.task_id for one in one_by_one.events} <= {shown}
        one_by_one = listed(stub, by=BOB, page_size=1, after=one_by_one.cursor)
    for task_id in (hidden, NO_TASK):
        request = events_pb2.ListEventsRequest(task_id=task_id, wait=WAIT)
        assert refused(stub.ListEvents, request, metadata=BOB).reason == ("TASK_NOT_FOUND")
    assert kinds(listed(stub, by=BOB, task_id=shown)) == ["SUBMITTED", "STARTED", "ENDED"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"after": "nonsense"}, "after"),
        ({"kinds": [99]}, "kinds[0]"),
        ({"page_size": -1}, "page_size"),
        ({"task_id": "\0"}, "task_id"),
        ({"wait": duration(-1)}, "wait"),
    ],
)
def test_what_is_wrong_is_named(stub: TaskServiceStub, fields: dict[str, Any], field: str) -> None:
    refusal = refused(stub.ListEvents, events_pb2.ListEventsRequest(**fields), metadata=ALICE)
    assert list(refusal.violations) == [field]


def test_a_cursor_belongs_to_its_filters(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        submitted_in(tx, State.QUEUED)
    cursor = followed(stub, 1)[0].cursor
    both = events_pb2.ListEventsRequest(after=cursor)
    both.time_from.GetCurrentTime()
    for request in (
        events_pb2.ListEventsRequest(after=cursor, kinds=[events_pb2.EVENT_KIND_ENDED]),
        both,
    ):
        refusal = refused(stub.ListEvents, request, metadata=ALICE)
        assert refusal.violations
