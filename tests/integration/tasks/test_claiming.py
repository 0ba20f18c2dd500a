"""A claim whose commit the database did not confirm."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from celery.app.task import Context
from sqlalchemy import Connection

from support.records import submit, upgraded
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.record import Task
from taskgate.store.transitions import Claim
from taskgate.tasks.attempt import Attempt
from taskgate.tasks.messages import ATTEMPT_HEADER
from taskgate.tasks.recording import Recorder


@pytest.fixture
def database(database_url: str) -> Database:
    return upgraded(database_url)


def attempt(database: Database, task_id: str) -> Attempt:
    request = Context({"id": task_id, "hostname": "worker@here", ATTEMPT_HEADER: 1})
    return Attempt(Recorder(Celery(set_as_current=False), database), task_id, request)


def claim_in(tx: Connection, attempt: Attempt) -> tuple[Claim | None, Task | None, bool]:
    """Try to claim in a transaction that the test commits or not."""
    try_to_claim: Any = Attempt._try_to_claim.__wrapped__  # type: ignore[attr-defined]
    tried: tuple[Claim | None, Task | None, bool] = try_to_claim(attempt, tx)
    return tried


def test_it_is_won_when_it_turns_out_to_have_been_committed(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    mine = attempt(database, task_id)
    with database.write() as tx:
        won, *_ = claim_in(tx, mine)
    assert won is not None
    with database.write() as tx:
        assert claim_in(tx, mine)[0] == won
        assert claim_in(tx, attempt(database, task_id))[0] is None
    database.close()


def test_it_is_lost_when_another_has_won_instead(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    mine = attempt(database, task_id)
    with database.engine.connect() as tx:
        assert claim_in(tx, mine)[0] is not None
        tx.rollback()
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, "another")
    with database.write() as tx:
        won, found, is_held = claim_in(tx, mine)
    assert won is None
    assert not is_held
    assert found is not None
    assert found.worker == "another"
    database.close()
