"""A claim whose commit the database did not confirm."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from celery import Celery
from celery.app.task import Context

from support.records import submit, upgraded
from taskgate.store import transitions
from taskgate.store.engine import Database
from taskgate.tasks.claiming import Claiming
from taskgate.tasks.messages import ATTEMPT_HEADER


@pytest.fixture
def database(database_url: str) -> Database:
    return upgraded(database_url)


def claiming(task_id: str) -> Claiming:
    request = Context({"id": task_id, "hostname": "worker@here", ATTEMPT_HEADER: 1})
    return Claiming(SimpleNamespace(app=Celery(set_as_current=False)), request)


def test_it_is_won_when_it_turns_out_to_have_been_committed(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    mine = claiming(task_id)
    with database.write() as tx:
        won, _ = mine(tx)
    assert won is not None
    with database.write() as tx:
        assert mine(tx)[0] == won
        assert claiming(task_id)(tx)[0] is None  # another delivery, to the same worker
    database.close()


def test_it_is_lost_when_another_has_won_instead(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    mine = claiming(task_id)
    with database.engine.connect() as tx:
        assert mine(tx)[0] is not None
        tx.rollback()
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, "another")
    with database.write() as tx:
        won, found = mine(tx)
    assert won is None
    assert found is not None
    assert found.worker == "another"
    database.close()
