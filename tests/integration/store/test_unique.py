"""A unique key: one task of its type has it, for as long as was said, whoever submits at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from support.records import HOUR, WORKER, new_task, recorded_statements
from taskgate.store import submission, sweeping, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import UniqueKeyHeld
from taskgate.store.record import NewTask, Task
from taskgate.store.submission import Outcome
from taskgate.store.tables import tasks


def new(until: str = "END", **values: Any) -> NewTask:
    return new_task(unique_key="k", unique_until=until, **values)


def submit(database: Database, *new_tasks: NewTask) -> list[Outcome]:
    with database.write() as tx:
        return submission.submit(tx, new_tasks)


def recorded(outcome: Outcome) -> str:
    assert isinstance(outcome, Task), outcome
    return outcome.id


def holder(outcome: Outcome) -> str:
    assert isinstance(outcome, UniqueKeyHeld), outcome
    assert outcome.key == "k"
    return outcome.task_id


def claim(database: Database, task_id: str, attempt: int = 1) -> None:
    with database.write() as tx:
        assert transitions.claim(tx, task_id, attempt, WORKER)


def end(database: Database, task_id: str) -> None:
    claim(database, task_id)
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 1, "1")


def test_the_second_is_told_who_holds_the_key(database: Database) -> None:
    [first] = submit(database, new())
    [refused] = submit(database, new())
    assert holder(refused) == recorded(first)
    [answered] = submit(database, new(answers_holder=True))
    assert answered == first
    others = submit(database, new(task_type="other"), new_task(), new_task())
    assert all(isinstance(one, Task) for one in others)


def test_within_one_batch(database: Database) -> None:
    wanted = [new(), new(), new(answers_holder=True)]
    first, second, third = submit(database, *wanted)
    assert recorded(first) == wanted[0].id == holder(second) == recorded(third)


def test_it_is_held_until_the_end(database: Database) -> None:
    [first] = submit(database, new())
    task_id = recorded(first)
    claim(database, task_id)
    assert holder(*submit(database, new())) == task_id
    with database.write() as tx:
        assert transitions.give_back(tx, task_id, 1)
    assert holder(*submit(database, new())) == task_id
    claim(database, task_id, 2)
    with database.write() as tx:
        assert transitions.succeed(tx, task_id, 2, "1")
    assert recorded(*submit(database, new())) != task_id


def test_it_is_held_until_the_start(database: Database) -> None:
    [first] = submit(database, new("START", delay=HOUR))
    assert holder(*submit(database, new("START"))) == recorded(first)
    with database.write() as tx:
        transitions.request_abort(tx, recorded(first), by="", reason="")
    second = recorded(*submit(database, new("START")))
    claim(database, second)
    third = recorded(*submit(database, new("START")))
    with database.write() as tx:  # it waits again, and the key is another's
        assert transitions.give_back(tx, second, 1)
    assert holder(*submit(database, new("START"))) == third
    assert holder(*submit(database, new("END"))) == third


def test_it_is_held_for_a_while_after_the_end(database: Database) -> None:
    [first] = submit(database, new(unique_ttl=HOUR))
    task_id = recorded(first)
    end(database, task_id)
    assert holder(*submit(database, new())) == task_id
    with database.write() as tx:
        earlier = clock.in_(-timedelta(hours=2))
        tx.execute(update(tasks).where(tasks.c.id == task_id).values(finished_at=earlier))
    second = recorded(*submit(database, new()))
    assert holder(*submit(database, new())) == second


def test_a_deleted_task_holds_nothing(database: Database) -> None:
    [first] = submit(database, new(unique_ttl=HOUR))
    end(database, recorded(first))
    with database.write() as tx:
        assert sweeping.forget(tx, recorded(first))
    assert recorded(*submit(database, new()))


def test_a_repeated_request_is_the_first_one(database: Database) -> None:
    request = {"request_id": "r", "request_digest": "same"}
    [first] = submit(database, new(**request))
    assert recorded(*submit(database, new(**request))) == recorded(first)


def test_of_many_at_once_one_is_recorded(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: submit(database, new(), new())[0], range(8)))
    [first] = [one.id for one in outcomes if isinstance(one, Task)]
    assert {one.task_id for one in outcomes if isinstance(one, UniqueKeyHeld)} == {first}


@pytest.mark.parametrize("values", [{}, {"unique_ttl": HOUR}])
def test_it_is_still_one_statement(postgres: Database, values: dict[str, Any]) -> None:
    with postgres.autocommit() as tx, recorded_statements(postgres) as statements:
        assert isinstance(submission.submit(tx, [new(**values), new_task()])[0], Task)
    assert len(statements) == 1
