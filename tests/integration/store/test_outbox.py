"""What is to be published: taken once, held, given back, never lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from support.records import (
    FAILURE,
    HOUR,
    NOW,
    WORKER,
    make_due,
    read,
    submit,
    submitted_in,
)
from taskgate.store import outbox, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.outbox import Subqueue
from taskgate.store.record import Task
from taskgate.store.tables import outbox as outbox_table
from taskgate.store.tables import tasks


def submit_due(database: Database, state: State = State.SCHEDULED) -> str:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
        make_due(tx, task_id)
    return task_id


def take_one(database: Database) -> Task | None:
    with database.write() as tx:
        taken = outbox.take_due(tx, 10)
    assert len(taken) <= 1
    return taken[0] if taken else None


def in_outbox(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.execute(select(outbox_table.c.task_id)).scalars())


def test_what_is_taken_is_queued_and_as_recorded(database: Database) -> None:
    task_id = submit_due(database)
    task = take_one(database)
    assert task == read(database, task_id)
    assert task.state is State.QUEUED


def test_a_retry_wait_that_is_over_is_taken_as_its_next_attempt(database: Database) -> None:
    task_id = submit_due(database, State.RETRYING)
    task = take_one(database)
    assert task is not None
    assert (task.state, task.attempt) == (State.QUEUED, 2)
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 2, WORKER)


def test_what_is_taken_is_not_taken_again(database: Database) -> None:
    submit_due(database)
    assert take_one(database)
    assert take_one(database) is None


def test_the_oldest_come_first_and_no_more_than_asked_for(database: Database) -> None:
    task_ids = []
    for number in range(5):
        with database.write() as tx:
            task_id = submit(tx, delay=HOUR)
            outbox.put(tx, task_id, 1, timedelta(seconds=number - 60))
            task_ids.append(task_id)
    with database.write() as tx:
        taken = [task.id for task in outbox.take_due(tx, 3)]
    assert sorted(taken) == sorted(task_ids[:3])


def row_of(database: Database, task_id: str) -> Any:
    with database.read() as tx:
        rows = select(outbox_table, clock.now().label("now"))
        return tx.execute(rows.where(outbox_table.c.task_id == task_id)).one_or_none()


def test_what_is_published_stays_until_the_claim(database: Database) -> None:
    task_id = submit_due(database)
    assert take_one(database)
    row = row_of(database, task_id)
    assert (row.attempt, row.queue, row.priority, row.tries) == (1, "celery", 4, 1)
    assert row.published_at <= row.now
    with database.write() as tx:
        claim = transitions.claim(tx, task_id, 1, WORKER)
    assert claim
    assert (claim.subqueue, claim.published_at) == (Subqueue("celery", 4), row.published_at)
    assert in_outbox(database) == set()


def test_what_is_released_is_due_again(database: Database) -> None:
    task_id = submit_due(database)
    task = take_one(database)
    assert task
    with database.write() as tx:
        outbox.release(tx, [task])
    again = take_one(database)
    assert again
    assert (again.id, again.version, row_of(database, task_id).tries) == (task_id, task.version, 2)


def test_a_release_comes_too_late_for_a_claimed_task(database: Database) -> None:
    task_id = submit_due(database)
    stale = take_one(database)
    assert stale
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)
        outbox.release(tx, [stale])
    assert in_outbox(database) == set()


def test_a_release_does_not_hasten_a_retry(database: Database) -> None:
    task_id = submit_due(database)
    stale = take_one(database)
    assert stale
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert transitions.back_off(tx, task_id, 1, FAILURE, delay=HOUR, retries=1)
        outbox.release(tx, [stale])
    assert take_one(database) is None


def test_thousands_are_taken_released_and_claimed(database: Database) -> None:
    with database.write() as tx:
        for _ in range(1_500):
            outbox.put(tx, submit(tx), 1, NOW)
        taken = outbox.take_due(tx, 2_000)
        assert len(taken) == 1_500
        outbox.release(tx, taken)
        taken = outbox.take_due(tx, 2_000)
        assert len(taken) == 1_500
        wanted = [(task.id, 1) for task in taken]
        assert set(transitions.claim_many(tx, wanted, WORKER)) == {task.id for task in taken}
    assert in_outbox(database) == set()


def test_rows_of_tasks_that_moved_on_are_dropped(database: Database) -> None:
    task_id = submit_due(database)
    with database.write() as tx:
        is_it = tasks.c.id == task_id
        tx.execute(update(tasks).where(is_it).values(state=State.SUCCEEDED))
    assert take_one(database) is None
    assert in_outbox(database) == set()


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
def test_an_aborted_task_is_not_published(database: Database, state: State) -> None:
    task_id = submit_due(database, state)
    with database.write() as tx:
        transitions.request_abort(tx, task_id, by="someone", reason="because")
    assert in_outbox(database) == set()
    assert take_one(database) is None


def test_the_outbox_says_when_it_is_due_next(database: Database) -> None:
    with database.write() as tx:
        assert outbox.look(tx).seconds_until_due is None
        task_id = submit(tx, delay=HOUR)
        assert outbox.look(tx).seconds_until_due == pytest.approx(3600, abs=5)
        make_due(tx, task_id)
        assert outbox.look(tx).seconds_until_due == pytest.approx(-60, abs=5)


def test_several_dispatchers_take_each_row_once(database: Database) -> None:
    with database.write() as tx:
        task_ids = [submit(tx, delay=HOUR) for _ in range(300)]
        tx.execute(outbox_table.update().values(publish_at=clock.now()))

    def dispatch(_number: int) -> list[str]:
        mine = []
        while in_outbox(database):
            with database.write() as tx:
                taken = [task.id for task in outbox.take_due(tx, 7)]
                outbox.remove(tx, taken)
            mine += taken
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = Counter(task_id for mine in pool.map(dispatch, range(4)) for task_id in mine)
    assert taken == Counter(task_ids)


def test_a_dispatcher_skips_what_another_one_has_locked(postgres: Database) -> None:
    first, second = submit_due(postgres), submit_due(postgres)
    with postgres.write() as one, postgres.write() as other:
        [mine] = outbox.take_due(one, 1)
        [yours] = outbox.take_due(other, 1)
        assert {mine.id, yours.id} == {first, second}


def test_a_dispatcher_never_waits_for_an_abort(postgres: Database) -> None:
    task_id = submit_due(postgres)
    with postgres.write() as aborting:
        transitions.request_abort(aborting, task_id, by="someone", reason="because")
        assert take_one(postgres) is None
    assert read(postgres, task_id).state is State.ABORTED
