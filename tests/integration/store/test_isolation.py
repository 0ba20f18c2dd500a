"""What a database sets by default for its sessions changes nothing, and nothing of ours stays."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Connection, text

from support.records import WORKER, altered, submit, upgraded
from support.waiting import wait_until
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.transitions import Claim

SETTINGS = ("idle_in_transaction_session_timeout", "statement_timeout", "transaction_isolation")


@pytest.fixture(params=["read committed", "repeatable read", "serializable"])
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def postgresql(postgres_url: str, level: str) -> Iterator[Database]:
    """A database whose sessions begin with an isolation level that a DBA has set."""
    database = upgraded(postgres_url)
    with altered(database, "default_transaction_isolation", f"'{level}'"):
        yield database
    database.close()


def shown(tx: Connection) -> list[str]:
    return [tx.execute(text(f"SHOW {name}")).scalar_one() for name in SETTINGS]


def test_what_a_transaction_sets_ends_with_it(postgresql: Database, level: str) -> None:
    """Behind PgBouncer the next transaction on the connection is someone else's."""
    with postgresql.write() as tx:
        assert shown(tx) == ["10s", "0", "read committed"]
    with postgresql.read() as tx:
        assert shown(tx) == ["0", "10s", "read committed"]
    with postgresql.autocommit() as tx:
        assert shown(tx) == ["0", "0", "read committed"]
    assert [of_the_session(postgresql, name) for name in SETTINGS] == ["0", "0", level]


def of_the_session(database: Database, setting: str) -> str:
    """What the connection that was used last is left with."""
    with closing(database.engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SHOW {setting}")
        [[value]] = cursor.fetchall()
        return str(value)


@pytest.mark.parametrize("mode", ["write", "autocommit"])
def test_who_loses_a_race_is_told_so(postgresql: Database, mode: str) -> None:
    """At a stricter level PostgreSQL has the loser fail instead."""

    def claim(worker: str) -> Claim | None:
        with getattr(postgresql, mode)() as tx:
            return transitions.claim(tx, task_id, 1, worker)

    losing: Future[Claim | None]
    with postgresql.write() as tx:
        task_id = submit(tx)
    with ThreadPoolExecutor(1) as pool:
        with postgresql.write() as tx:
            assert transitions.claim(tx, task_id, 1, WORKER)
            losing = pool.submit(claim, "another")
            wait_until(lambda: waits_for_a_lock(postgresql), what="the second claim waits")
        assert losing.result(timeout=30) is None


def waits_for_a_lock(database: Database) -> bool:
    with database.read() as tx:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return bool(tx.exec_driver_sql(waiting).scalar_one())
