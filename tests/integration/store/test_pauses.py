"""A pause: nothing new of its target starts, nothing of it is lost, and it ends at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from support.records import HOUR, WORKER, make_due, read, submit, submitted_in
from taskgate.store import outbox, pauses, submission, transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.pauses import Kind, Target
from taskgate.store.tables import outbox as outbox_table
from taskgate.store.tables import pauses as pause_table

QUEUE = Target(Kind.QUEUE, "celery")
TYPE = Target(Kind.TASK_TYPE, "demo.add")
TARGETS = pytest.mark.parametrize("target", [QUEUE, TYPE])


def pause(database: Database, target: Target, reason: str = "because") -> pauses.Pause:
    with database.write() as tx:
        return pauses.pause(tx, target, by="someone", reason=reason)


def resume(database: Database, target: Target) -> bool:
    with database.write() as tx:
        return pauses.resume(tx, target)


def mind(database: Database) -> None:
    """What a dispatcher does before it publishes."""
    with database.write() as tx:
        pauses.release(tx, 100)
        pauses.hold_due(tx, 100)


def taken(database: Database) -> set[str]:
    with database.write() as tx:
        return {task.id for task in outbox.take_due(tx, 100)}


def held(database: Database) -> set[str]:
    with database.read() as tx:
        is_held = outbox_table.c.held_by.is_not(None)
        return set(tx.execute(select(outbox_table.c.task_id).where(is_held)).scalars())


@TARGETS
def test_who_paused_it_first_and_why_is_on_record(database: Database, target: Target) -> None:
    first = pause(database, target)
    assert (first.target, first.paused_by, first.reason) == (target, "someone", "because")
    assert pause(database, target, reason="another") == first
    with database.read() as tx:
        assert pauses.list_all(tx) == [first]
    assert resume(database, target)
    assert not resume(database, target)
    with database.read() as tx:
        assert pauses.list_all(tx) == []
    assert pause(database, target, reason="another").reason == "another"


@TARGETS
def test_what_is_paused_is_not_claimed(database: Database, target: Target) -> None:
    with database.write() as tx:
        task_id, other = submit(tx), submit(tx, queue="other", task_type="other")
    pause(database, target)
    with database.write() as tx:
        wanted = [(task_id, 1), (other, 1)]
        assert set(transitions.claim_many(tx, wanted, WORKER)) == {other}
    resume(database, target)
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)


def test_what_runs_already_is_claimed(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    pause(database, QUEUE)
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER, runs_already=True)


@TARGETS
@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED, State.RETRYING])
def test_what_is_due_is_held_and_is_due_again(
    database: Database, target: Target, state: State
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
        other = submit(tx, queue="other", task_type="other")
        make_due(tx, task_id)
        make_due(tx, other)
    pause(database, target)
    mind(database)
    assert held(database) == {task_id}
    assert taken(database) == {other}
    assert read(database, task_id).state is state
    with database.read() as tx:
        assert outbox.look(tx) == outbox.Look(None, has_pauses=True)
        assert outbox.count(tx, "celery", 10) == 1
    resume(database, target)
    mind(database)
    assert held(database) == set()
    assert taken(database) == {task_id}
    mind(database)
    with database.read() as tx:
        assert not outbox.look(tx).has_pauses


@TARGETS
def test_a_message_that_came_is_held_by_the_outbox(database: Database, target: Target) -> None:
    with database.write() as tx:
        task_id, other = submit(tx), submit(tx, queue="other", task_type="other")
        outbox.take_due(tx, 10)
    pause(database, target)
    with database.write() as tx:
        assert pauses.hold_claimed(tx, [(task_id, 1), (other, 1), ("unknown", 1)]) == {task_id}
        assert pauses.hold_claimed(tx, [(task_id, 2)]) == set()
    assert held(database) == {task_id}
    resume(database, target)
    mind(database)
    assert taken(database) == {task_id}


def test_a_task_of_another_producer_is_held(database: Database) -> None:
    pause(database, QUEUE)
    values = {"task_type": "demo.add", "state": State.QUEUED, "queue": "celery", "arguments": "{}"}
    with database.write() as tx:
        submission.adopt(tx, {**values, "id": "theirs"})
        assert transitions.claim(tx, "theirs", 1, WORKER) is None
        assert pauses.hold_claimed(tx, [("theirs", 1)]) == {"theirs"}
    resume(database, QUEUE)
    mind(database)
    assert taken(database) == {"theirs"}


def test_what_two_pauses_hold_waits_for_both(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx, delay=HOUR)
        make_due(tx, task_id)
    pause(database, QUEUE)
    pause(database, TYPE)
    mind(database)
    resume(database, QUEUE)
    mind(database)
    assert held(database) == {task_id}
    resume(database, TYPE)
    mind(database)
    assert taken(database) == {task_id}


def test_a_pause_that_comes_back_keeps_what_it_held(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        make_due(tx, task_id)
    pause(database, QUEUE)
    mind(database)
    resume(database, QUEUE)
    pause(database, QUEUE)
    mind(database)
    assert held(database) == {task_id}


def test_aborted_while_it_is_held(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        make_due(tx, task_id)
    pause(database, QUEUE)
    mind(database)
    with database.write() as tx:
        transitions.request_abort(tx, task_id, by="", reason="")
    assert held(database) == set()


def test_a_resume_waits_for_those_who_hold(postgres: Database) -> None:
    """Whoever marked a row for a pause that is gone would leave it there for ever."""
    with postgres.write() as tx:
        task_id = submit(tx)
        make_due(tx, task_id)
    pause(postgres, QUEUE)
    with ThreadPoolExecutor(1) as pool:
        with postgres.write() as tx:
            assert pauses.hold_due(tx, 100) == 1
            resuming = pool.submit(resume, postgres, QUEUE)
            assert not resuming.done()
        assert resuming.result(30)
    mind(postgres)
    assert taken(postgres) == {task_id}
    mind(postgres)
    with postgres.read() as tx:
        assert tx.execute(select(pause_table)).all() == []


def test_many_are_released_in_parts(database: Database) -> None:
    with database.write() as tx:
        task_ids = {submit(tx) for _ in range(250)}
        for task_id in task_ids:
            make_due(tx, task_id)
    pause(database, QUEUE)
    with database.write() as tx:
        assert [pauses.hold_due(tx, 100) for _ in range(4)] == [100, 100, 50, 0]
    resume(database, QUEUE)
    with database.write() as tx:
        assert [pauses.release(tx, 100) for _ in range(4)] == [100, 100, 50, 0]
        assert tx.execute(select(pause_table)).all() == []
