"""What is going on in the record, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from support.records import (
    FAILURE,
    HOUR,
    NOW,
    WORKER,
    make_due,
    new_task,
    submitted_in,
    take,
)
from taskgate.store import stats, submission, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.stats import Activity, Count, Kind
from taskgate.store.tables import attempts, tasks

LONG_AGO = clock.in_(-timedelta(minutes=5))


def total(tx: Connection) -> Activity:
    found = Activity.none()
    for one in stats.activity(tx).values():
        found.add(one)
    return found


def test_an_empty_record_has_no_activity(database: Database) -> None:
    with database.read() as tx:
        assert stats.activity(tx) == {}
        assert stats.final_counts(tx) == {state: Count(0, is_estimate=False) for state in FINAL}


def test_tasks_are_counted_by_state(database: Database) -> None:
    with database.write() as tx:
        for state in State:
            submitted_in(tx, state)
        found = total(tx)
        assert found.live == dict.fromkeys(stats.LIVE, 1)
        assert found.ended == dict.fromkeys(FINAL, 1)
        assert found.submits == len(State)
        counts = stats.final_counts(tx)
        assert counts == {state: Count(1, is_estimate=False) for state in FINAL}


def test_tasks_are_counted_by_queue_and_type(database: Database) -> None:
    with database.write() as tx:
        for queue, task_type in (("a", "x"), ("a", "y"), ("a", "y"), ("b", "x")):
            submission.submit(tx, [new_task(queue=queue, task_type=task_type)])
        found = {kind: one.live for kind, one in stats.activity(tx).items()}
    assert found == {
        Kind("a", "x"): {State.QUEUED: 1},
        Kind("a", "y"): {State.QUEUED: 2},
        Kind("b", "x"): {State.QUEUED: 1},
    }


def test_rates_are_of_the_last_minute(database: Database) -> None:
    with database.write() as tx:
        for state in State:
            task_id = submitted_in(tx, state)
            tx.execute(update(tasks).where(tasks.c.id == task_id).values(created_at=LONG_AGO))
        tx.execute(update(tasks).values(started_at=LONG_AGO, finished_at=LONG_AGO))
        tx.execute(update(attempts).values(started_at=LONG_AGO))
        found = total(tx)
    assert (found.submits, found.starts, found.ended) == (0, 0, {})
    assert found.size == len(stats.LIVE)


def test_starts_are_those_of_tasks_that_run_ended_or_wait_for_a_retry(database: Database) -> None:
    with database.write() as tx:
        submitted_in(tx, State.RUNNING)
        submitted_in(tx, State.SUCCEEDED)
        submitted_in(tx, State.QUEUED)
        failed = submitted_in(tx, State.RUNNING)
        transitions.back_off(tx, failed, 1, FAILURE, delay=HOUR, retries=1)
        assert total(tx).starts == 3


def test_starts_of_attempts_before_the_current_one_are_counted(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        for number in (1, 2):
            transitions.back_off(tx, task_id, number, FAILURE, delay=NOW, retries=number)
            make_due(tx, task_id)
            take(tx, task_id)
            assert transitions.claim(tx, task_id, number + 1, WORKER)
        assert total(tx).starts == 3
        tx.execute(update(attempts).values(ended_at=LONG_AGO))
        assert total(tx).starts == 1


def test_the_oldest_is_the_one_that_has_been_due_longest(database: Database) -> None:
    with database.write() as tx:
        submission.submit(tx, [new_task(), new_task(delay=HOUR)])
        old = submitted_in(tx, State.QUEUED)
        tx.execute(update(tasks).where(tasks.c.id == old).values(created_at=LONG_AGO))
        running = submitted_in(tx, State.RUNNING)
        tx.execute(
            update(tasks).where(tasks.c.id == running).values(created_at=clock.in_(-2 * HOUR))
        )
        oldest = total(tx).oldest
        assert oldest is not None
        age = clock.read(tx) - oldest
    assert timedelta(minutes=5) <= age < timedelta(hours=1)


def test_a_large_record_says_that_its_counts_are_estimates(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "EXACT_UP_TO", 0)
    with database.write() as tx:
        submission.submit(tx, [new_task(delay=NOW) for _ in range(100)])
        tx.execute(update(tasks).values(state=State.SUCCEEDED, finished_at=clock.now()))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    with database.read() as tx:
        found = stats.final_counts(tx)
    is_estimate = not database.is_sqlite
    assert found[State.SUCCEEDED] == Count(100, is_estimate=is_estimate)
    assert found[State.FAILED].is_estimate is is_estimate
