"""What is to be published: taken once, held, given back, never lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from support.records import (
    FAILURE,
    HOUR,
    NOW,
    WORKER,
    make_due,
    read,
    submit,
    submitted_in,
    take,
)
from taskgate.store import clock, outbox, transitions
from taskgate.store.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.outbox import Publication
from taskgate.store.tables import outbox as outbox_table


def submit_due(database: Database, state: State = State.SCHEDULED) -> str:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
        make_due(tx, task_id)
    return task_id


def take_one(database: Database) -> Publication | None:
    with database.write() as tx:
        taken = outbox.take_due(tx, 10)
    assert len(taken) <= 1
    return taken[0] if taken else None


def in_outbox(database: Database) -> set[str]:
    with database.read() as tx:
        return set(tx.execute(select(outbox_table.c.task_id)).scalars())


def test_what_is_taken_is_queued_and_as_recorded(database: Database) -> None:
    task_id = submit_due(database)
    publication = take_one(database)
    assert publication == Publication(read(database, task_id), tries=1)
    assert publication.task.state is State.QUEUED


def test_a_retry_wait_that_is_over_is_taken_as_its_next_attempt(database: Database) -> None:
    task_id = submit_due(database, State.RETRYING)
    publication = take_one(database)
    assert publication is not None
    assert (publication.task.state, publication.task.attempt) == (State.QUEUED, 2)
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 2, WORKER)


def test_what_is_taken_is_held(database: Database) -> None:
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
        taken = [publication.task.id for publication in outbox.take_due(tx, 3)]
    assert sorted(taken) == sorted(task_ids[:3])


def test_what_a_publisher_died_with_comes_back_and_is_held_longer(database: Database) -> None:
    task_id = submit_due(database)
    assert take_one(database)
    for tries in (2, 3):
        with database.write() as tx:
            make_due(tx, task_id)
        publication = take_one(database)
        assert publication is not None
        assert (publication.tries, publication.task.version) == (tries, 2)
    with database.write() as tx:
        seconds = outbox.seconds_until_due(tx)
    assert seconds == pytest.approx(outbox.hold(3).total_seconds(), abs=2)


def test_holds_double_up_to_the_longest() -> None:
    assert [outbox.hold(tries) for tries in (1, 2, 3)] == [
        outbox.FIRST_HOLD * factor for factor in (1, 2, 4)
    ]
    assert outbox.hold(1_000) == outbox.LONGEST_HOLD


def test_what_is_forgotten_is_gone(database: Database) -> None:
    submit_due(database)
    publication = take_one(database)
    assert publication
    with database.write() as tx:
        outbox.forget(tx, [publication])
        assert outbox.seconds_until_due(tx) is None


def test_what_is_released_comes_back_after_the_delay(database: Database) -> None:
    submit_due(database)
    publication = take_one(database)
    assert publication
    with database.write() as tx:
        outbox.release(tx, [publication], HOUR)
        seconds = outbox.seconds_until_due(tx)
        assert seconds == pytest.approx(3600, abs=5)
        outbox.release(tx, [publication], NOW)
    again = take_one(database)
    assert again
    assert again.tries == 2


@pytest.mark.parametrize("let_go", [outbox.forget, lambda tx, p: outbox.release(tx, p, NOW)])
def test_who_lost_its_hold_changes_nothing(database: Database, let_go: object) -> None:
    assert callable(let_go)
    task_id = submit_due(database)
    stale = take_one(database)
    with database.write() as tx:
        make_due(tx, task_id)
    assert take_one(database)
    with database.write() as tx:
        let_go(tx, [stale])
    assert in_outbox(database) == {task_id}
    assert take_one(database) is None


@pytest.mark.parametrize("let_go", [outbox.forget, lambda tx, p: outbox.release(tx, p, NOW)])
def test_a_publisher_has_no_hold_on_the_next_attempt(database: Database, let_go: object) -> None:
    assert callable(let_go)
    task_id = submit_due(database)
    stale = take_one(database)
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert transitions.back_off(tx, task_id, 1, FAILURE, delay=NOW, retries=1)
        assert take(tx, task_id)
        let_go(tx, [stale])
    assert in_outbox(database) == {task_id}
    assert take_one(database) is None


def test_thousands_are_taken_released_and_forgotten(database: Database) -> None:
    with database.write() as tx:
        for _ in range(1_500):
            outbox.put(tx, submit(tx), 1, NOW)
        taken = outbox.take_due(tx, 2_000)
        assert len(taken) == 1_500
        outbox.release(tx, taken, NOW)
        taken = outbox.take_due(tx, 2_000)
        assert len(taken) == 1_500
        outbox.forget(tx, taken)
    assert in_outbox(database) == set()


def test_rows_of_tasks_that_moved_on_are_dropped(database: Database) -> None:
    published_but_not_forgotten = submit_due(database)
    with database.write() as tx:
        assert take(tx, published_but_not_forgotten)
        assert transitions.claim(tx, published_but_not_forgotten, 1, WORKER)
        make_due(tx, published_but_not_forgotten)
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
        assert outbox.seconds_until_due(tx) is None
        task_id = submit(tx, delay=HOUR)
        assert outbox.seconds_until_due(tx) == pytest.approx(3600, abs=5)
        make_due(tx, task_id)
        assert outbox.seconds_until_due(tx) == pytest.approx(-60, abs=5)


def test_several_dispatchers_take_each_row_once(database: Database) -> None:
    with database.write() as tx:
        task_ids = [submit(tx, delay=HOUR) for _ in range(300)]
        tx.execute(outbox_table.update().values(publish_at=clock.now()))

    def dispatch(_number: int) -> list[str]:
        mine = []
        while in_outbox(database):
            with database.write() as tx:
                taken = outbox.take_due(tx, 7)
                outbox.forget(tx, taken)
            mine += [publication.task.id for publication in taken]
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = Counter(task_id for mine in pool.map(dispatch, range(4)) for task_id in mine)
    assert taken == Counter(task_ids)


def test_a_dispatcher_skips_what_another_one_has_locked(postgres: Database) -> None:
    first, second = submit_due(postgres), submit_due(postgres)
    with postgres.write() as one, postgres.write() as other:
        [mine] = outbox.take_due(one, 1)
        [yours] = outbox.take_due(other, 1)
        assert {mine.task.id, yours.task.id} == {first, second}


def test_a_dispatcher_never_waits_for_an_abort(postgres: Database) -> None:
    task_id = submit_due(postgres)
    with postgres.write() as aborting:
        transitions.request_abort(aborting, task_id, by="someone", reason="because")
        assert take_one(postgres) is None
    assert read(postgres, task_id).state is State.ABORTED
