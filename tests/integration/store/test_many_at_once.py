"""Claims and ends of many attempts in one statement: each as if it were alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from support.records import (
    HOUR,
    WORKER,
    make_overdue,
    read,
    recorded_statements,
    submit,
    submitted_in,
)
from taskgate.store import queries, submission, transitions, workers
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.tables import outbox
from taskgate.store.transitions import Success


def waiting(tx: Connection) -> set[str]:
    return set(tx.execute(select(outbox.c.task_id)).scalars())


def test_what_can_be_claimed_is_claimed_and_nothing_else(database: Database) -> None:
    with database.write() as tx:
        by_state = {state: submitted_in(tx, state) for state in State}
        overdue, other_attempt = submit(tx, ttl=HOUR), submit(tx)
        make_overdue(tx, overdue)
        wanted = [(task_id, 1) for task_id in (*by_state.values(), overdue, "no such task")]
        claims = transitions.claim_many(tx, [*wanted, (other_attempt, 2)], WORKER)
    assert set(claims) == {by_state.pop(State.QUEUED)}
    assert read(database, overdue).state is State.EXPIRED
    assert read(database, other_attempt).state is State.QUEUED
    assert {state: read(database, task_id).state for state, task_id in by_state.items()} == {
        state: state for state in by_state
    }


def test_claims_take_their_rows_out_of_the_outbox(database: Database) -> None:
    with database.write() as tx:
        task_ids = [submit(tx, queue=f"q{n % 3}", priority=n % 10) for n in range(100)]
        left, delayed = submit(tx), submit(tx, delay=HOUR)
        claims = transitions.claim_many(tx, [(task_id, 1) for task_id in task_ids], WORKER)
        assert waiting(tx) == {left, delayed}
    assert sorted(claims) == sorted(task_ids)
    assert {claim.subqueue for claim in claims.values()} == {
        (f"q{n % 3}", n % 10) for n in range(100)
    }


def test_a_message_that_is_there_twice_is_one_claim(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        claims = transitions.claim_many(tx, [(task_id, 1), (task_id, 1), (task_id, 2)], WORKER)
    assert claims[task_id].attempt == 1
    assert read(database, task_id).version == 2


def test_a_worker_without_a_lease_claims_none(database: Database) -> None:
    with database.write() as tx:
        workers.start(tx, WORKER, {}, HOUR)
        workers.stop(tx, WORKER)
        wanted = [(submit(tx), 1) for _ in range(3)]
        assert transitions.claim_many(tx, wanted, WORKER) == {}
        assert waiting(tx) == {task_id for task_id, _ in wanted}


def test_an_id_of_any_characters_is_claimed_and_ended(database: Database) -> None:
    strange = "a\0\ud800'\\{},%s"
    with database.write() as tx:
        values = {"id": strange, "task_type": "t", "queue": "q", "arguments": "{}"}
        submission.adopt(tx, {**values, "state": State.QUEUED})
        claim = transitions.claim(tx, strange, 1, WORKER)
        assert claim is not None
        assert transitions.succeed_many(tx, [Success(strange, 1, '"\0"')]) == {claim.task_id}
    assert read(database, claim.task_id).state is State.SUCCEEDED


def test_those_end_that_are_running_and_at_the_attempt(database: Database) -> None:
    with database.write() as tx:
        by_state = {state: submitted_in(tx, state) for state in State}
        other_attempt = submitted_in(tx, State.RUNNING)
        ends = [Success(task_id, 1, f'"{task_id}"') for task_id in by_state.values()]
        ended = transitions.succeed_many(tx, [*ends, Success(other_attempt, 2, "3")])
    assert ended == {by_state[state] for state in ACTIVE}
    for state in ACTIVE:
        task = read(database, by_state[state])
        assert (task.state, task.result) == (State.SUCCEEDED, f'"{task.id}"')
        assert task.finished_at is not None
    assert read(database, other_attempt).state is State.RUNNING


@pytest.mark.parametrize("ran_seconds", [None, 0.0, 3600.0])
def test_a_run_began_at_its_claim_or_later(database: Database, ran_seconds: float | None) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        claimed_at = queries.get(tx, task_id).started_at
        assert claimed_at is not None
        transitions.succeed_many(tx, [Success(task_id, 1, "3", ran_seconds)])
        now = clock.read(tx)
    task = read(database, task_id)
    assert task.started_at is not None
    assert claimed_at <= task.started_at <= now + timedelta(milliseconds=1)
    assert (task.started_at == claimed_at) or ran_seconds == 0.0


def test_many_cost_no_more_statements_than_one(database: Database) -> None:
    counts = []
    for number in (1, 200):
        with database.write() as tx:
            task_ids = [submit(tx) for _ in range(number)]
            overdue = [submit(tx, ttl=HOUR) for _ in range(number)]
            for task_id in overdue:
                make_overdue(tx, task_id)
            with recorded_statements(database) as statements:
                wanted = [(task_id, 1) for task_id in (*task_ids, *overdue)]
                assert len(transitions.claim_many(tx, wanted, WORKER)) == number
                ends = [Success(task_id, 1, "3") for task_id in task_ids]
                assert len(transitions.succeed_many(tx, ends)) == number
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_none_are_no_statement(database: Database) -> None:
    with database.write() as tx, recorded_statements(database) as statements:
        assert transitions.claim_many(tx, [], WORKER) == {}
        assert transitions.succeed_many(tx, []) == set()
        assert transitions.expire_many(tx, []) == []
    assert statements == []
