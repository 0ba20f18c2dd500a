"""Events: everything that happened, each once, in an order in which nothing comes late."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from support.postgres import PostgresServer
from support.records import FAILURE, HOUR, NOW, WORKER, make_due, new_task, submitted_in, take
from support.waiting import wait_until
from taskgate.store import events, submission, sweeping, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskNotFound
from taskgate.store.event import BEGINNING, Event, Kind, Position
from taskgate.store.lifecycle import Outcome, State
from taskgate.store.mirror import LOOK_BACK

LATER = datetime(2999, 1, 1, tzinfo=UTC)


def of_task(database: Database, task_id: str, **options: Any) -> list[Event]:
    with database.read() as tx:
        page = events.of_task(tx, task_id, BEGINNING, LATER, 100, **options)
    assert not page.has_more
    return page.events


def of_all(database: Database, limit: int = 100, *kinds: Kind) -> Iterator[Event]:
    """All events so far, a page at a time."""
    after, has_more = BEGINNING, True
    while has_more:
        with database.read() as tx:
            page = events.following(tx, after, LATER, limit, kinds)
        yield from page.events
        assert len(page.events) <= limit
        after, has_more = page.events[-1].position if page.events else after, page.has_more


HISTORY = {
    State.SCHEDULED: [Kind.SUBMITTED],
    State.QUEUED: [Kind.SUBMITTED],
    State.RUNNING: [Kind.SUBMITTED, Kind.STARTED],
    State.RETRYING: [Kind.SUBMITTED, Kind.STARTED, Kind.ATTEMPT_ENDED],
    State.ABORTING: [Kind.SUBMITTED, Kind.STARTED, Kind.ABORT_REQUESTED],
    State.SUCCEEDED: [Kind.SUBMITTED, Kind.STARTED, Kind.ENDED],
    State.FAILED: [Kind.SUBMITTED, Kind.STARTED, Kind.ENDED],
    State.ABORTED: [Kind.SUBMITTED, Kind.ENDED],
    State.EXPIRED: [Kind.SUBMITTED, Kind.ENDED],
}


@pytest.mark.parametrize("state", HISTORY)
def test_a_task_tells_its_history(database: Database, state: State) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state, submitted_by="me", submitted_from="ipv4:1.2.3.4:5")
    found = of_task(database, task_id)
    assert sorted(one.kind for one in found) == sorted(HISTORY[state])
    assert {(one.task_id, one.task_type, one.queue) for one in found} == {
        (task_id, "demo.add", "celery")
    }
    first = next(one for one in found if one.kind is Kind.SUBMITTED)
    assert (first.caller, first.peer, first.state) == ("me", "ipv4:1.2.3.4:5", None)
    if state not in (State.SCHEDULED, State.QUEUED):
        assert state in {one.state for one in found}


def test_an_attempt_that_failed_and_one_that_ended_the_task(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    with database.write() as tx:
        assert transitions.back_off(tx, task_id, 1, FAILURE, delay=NOW, retries=1)
    with database.write() as tx:
        make_due(tx, task_id)
        assert take(tx, task_id)
        assert transitions.claim(tx, task_id, 2, "other")
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 2, "3")
    found = of_task(database, task_id)
    assert [(one.kind, one.attempt, one.worker) for one in found if one.attempt] == [
        (Kind.STARTED, 1, WORKER),
        (Kind.ATTEMPT_ENDED, 1, WORKER),
        (Kind.STARTED, 2, "other"),
        (Kind.ENDED, 2, "other"),
    ]
    failed, ended = (one for one in found if one.outcome is not None)
    assert (failed.state, failed.outcome, failed.failure) == (
        State.RETRYING,
        Outcome.FAILED,
        FAILURE,
    )
    assert (ended.state, ended.outcome, ended.failure) == (
        State.SUCCEEDED,
        Outcome.SUCCEEDED,
        None,
    )
    assert failed.started_at == found[1].time
    # Of all tasks, the ends of attempts tell their starts.
    assert [one.kind for one in of_all(database)] == [
        Kind.SUBMITTED,
        Kind.ATTEMPT_ENDED,
        Kind.ENDED,
    ]


def test_a_call_is_told_also_when_its_task_is_gone(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.SUCCEEDED)
        call = events.Call(task_id, "demo.add", "celery", "Abort", "me", "ipv4:1.2.3.4:5", "no")
        events.record(tx, call)
        assert events.kind_of(tx, task_id) == ("demo.add", "celery")
    with database.write() as tx:
        assert sweeping.forget(tx, task_id)
        assert events.kind_of(tx, task_id) == ("demo.add", "celery")
    for found in (of_task(database, task_id), list(of_all(database))):
        [called] = found
        assert (called.kind, called.call, called.caller) == (Kind.CALLED, "Abort", "me")
        assert (called.peer, called.detail) == ("ipv4:1.2.3.4:5", "no")
    with database.write() as tx:
        assert events.forget_old(tx, HOUR) == 0
        assert events.forget_old(tx, -HOUR) == 1
        with pytest.raises(TaskNotFound):
            events.kind_of(tx, task_id)


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_pages_of_any_size_tell_each_event_once(database: Database, limit: int) -> None:
    with database.write() as tx:
        # In one statement, so at one time; ids that databases may sort otherwise than Python.
        names = [f"{letter}{number}" for letter in "aBc-_é" for number in range(5)]
        submission.submit(tx, [new_task(id=name) for name in names])
        others = [submitted_in(tx, state) for state in State]
    found = list(of_all(database, limit))
    assert Counter((one.task_id, one.kind) for one in found).most_common(1)[0][1] == 1
    assert {one.task_id for one in found if one.kind is Kind.SUBMITTED} == {*names, *others}
    assert [one.position for one in found] == sorted(one.position for one in found)
    assert len([one for one in found if one.kind is Kind.ENDED]) == 4


@pytest.mark.parametrize("kind", Kind)
def test_kinds_are_chosen(database: Database, kind: Kind) -> None:
    with database.write() as tx:
        task_ids = [submitted_in(tx, state) for state in State]
        for task_id in task_ids:
            events.record(tx, events.Call(task_id, "demo.add", "celery", "Abort", "", ""))
    found = list(of_all(database, 3, kind))
    assert {one.kind for one in found} == {kind}
    assert len(found) == sum(one.kind is kind for one in of_all(database))
    assert {one.kind for one in of_task(database, task_ids[-1], kinds=[kind])} <= {kind}


def test_a_past_attempt_without_a_start_is_no_start(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RETRYING)
        tx.execute(text("UPDATE taskgate_attempts SET started_at = NULL"))
    assert [one.kind for one in of_task(database, task_id)] == [
        Kind.SUBMITTED,
        Kind.ATTEMPT_ENDED,
    ]


def until(database: Database) -> datetime:
    with database.write() as tx:
        return events.horizon(tx)


def seen(database: Database, until: datetime) -> list[str]:
    with database.read() as tx:
        return [one.task_id for one in events.following(tx, BEGINNING, until, 100).events]


def test_what_is_committed_late_does_not_come_late(postgres: Database) -> None:
    with postgres.write() as slow:
        late = submitted_in(slow, State.QUEUED)
        with postgres.write() as tx:
            quick = submitted_in(tx, State.QUEUED)
            committed_by = clock.read(tx)
        assert until(postgres) < committed_by
        assert seen(postgres, until(postgres)) == []
    wait_until(lambda: until(postgres) > committed_by, 10, "the horizon has moved on")
    assert seen(postgres, until(postgres)) == [late, quick]


def test_a_transaction_that_stays_open_holds_nothing_up_for_long(postgres: Database) -> None:
    with postgres.write() as tx:
        quick = clock.read(tx)
        assert quick - LOOK_BACK < until(postgres) <= quick
        long_ago = tx.execute(text("SELECT statement_timestamp()")).scalar_one()
        assert until(postgres) >= long_ago - LOOK_BACK


def test_others_transactions_that_are_not_shown_are_taken_for_the_longest(
    postgres: Database, postgres_server: PostgresServer
) -> None:
    with postgres.write() as tx:
        tx.execute(text("CREATE ROLE limited LOGIN"))
    limited = Database(postgres.url.set(username="limited").render_as_string(hide_password=False))
    try:
        with postgres.read() as other, limited.write() as tx:
            other.execute(text("SELECT 1"))
            now = clock.read(tx)
            assert abs(events.horizon(tx) - (now - LOOK_BACK)) < timedelta(seconds=1)
    finally:
        limited.close()
        with postgres.write() as tx:
            tx.execute(text("DROP ROLE limited"))


def test_who_follows_many_writers_is_told_of_everything(database: Database) -> None:
    done = threading.Event()
    told: list[Position] = []
    followers_error: list[BaseException] = []

    def write(number: int) -> None:
        for step in range(15):
            with database.write() as tx:
                _write_slowly(tx, f"{number}-{step}")

    def follow() -> None:
        after = BEGINNING
        try:
            while True:
                is_last = done.is_set() and until(database) > last_time
                page = _look(database, after)
                told.extend(one.position for one in page.events)
                after = told[-1] if told else after
                if is_last and not page.events:
                    return
        except BaseException as exc:
            followers_error.append(exc)
            raise

    last_time = BEGINNING.time
    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    follower = threading.Thread(target=follow)
    for thread in (*writers, follower):
        thread.start()
    for thread in writers:
        thread.join()
    kept = {one.position for one in of_all(database) if one.kind is not Kind.STARTED}
    last_time = max(position.time for position in kept)
    done.set()
    follower.join(60)
    assert not follower.is_alive()
    assert not followers_error
    assert kept <= set(told)
    assert len(told) == len(set(told))


def _look(database: Database, after: Position) -> events.Page:
    horizon = until(database)
    with database.read() as tx:
        return events.following(tx, after, horizon, 7)


def _write_slowly(tx: Connection, name: str) -> None:
    """Some transactions take longer than others from their writes to their commit."""
    submission.submit(tx, [new_task(id=name)])
    assert transitions.claim(tx, name, 1, WORKER)
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_sleep(random() * 0.02)"))
    assert transitions.succeed(tx, name, 1, "3")
