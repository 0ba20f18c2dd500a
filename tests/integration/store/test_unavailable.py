"""Which of a database's errors mean "not now", and which are the value's or the statement's fault.

What means "not now" is tried again, so an error in the wrong class loses a task or never ends.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from support.postgres import PostgresServer
from support.records import altered, new_task, submit, upgraded
from support.waiting import wait_until
from taskgate.store import queries, submission, workers
from taskgate.store.database import engine
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable, ValueRefused

PING = text("SELECT 1")


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    database = upgraded(postgres_url)
    yield database
    database.close()


def records_a_task(database: Database) -> str:
    with database.write() as tx:
        return submit(tx)


def renews_a_lease(database: Database) -> None:
    with database.autocommit() as tx:
        workers.renew(tx, "w", timedelta(seconds=1))


@pytest.mark.parametrize("write", [records_a_task, renews_a_lease])
def test_a_database_that_only_reads_is_unavailable_until_it_writes_again(
    postgresql: Database, write: Callable[[Database], object]
) -> None:
    with altered(postgresql, "default_transaction_read_only", "on"):
        with postgresql.read() as tx:
            assert tx.execute(PING).scalar_one() == 1
        with pytest.raises(StoreUnavailable, match="read-only"):
            write(postgresql)
    write(postgresql)  # which takes a new connection: the old one would only read for ever


def test_after_a_failover_to_a_standby_writes_wait_for_the_promotion() -> None:
    with PostgresServer() as server:
        database = upgraded(server.create_database("record"))
        first = records_a_task(database)
        server.stop()
        server.make_standby()
        server.start()
        with pytest.raises(StoreUnavailable, match="read-only"):
            records_a_task(database)
        with database.read() as tx:
            assert queries.get(tx, first).id == first
        with database.autocommit() as tx:
            tx.execute(text("SELECT pg_promote()"))
        assert records_a_task(database)
        database.close()


def test_a_deadlock_is_unavailable(postgresql: Database) -> None:
    one, other = records_a_task(postgresql), records_a_task(postgresql)
    lock = text("SELECT 1 FROM taskgate_tasks WHERE id = :id FOR UPDATE")
    both_have_one = threading.Barrier(2, timeout=20)
    unavailable: list[StoreUnavailable] = []

    def lock_both(ids: tuple[str, str]) -> None:
        try:
            with postgresql.write() as tx:
                tx.execute(lock, {"id": ids[0]})
                both_have_one.wait()
                tx.execute(lock, {"id": ids[1]})
        except StoreUnavailable as exc:
            unavailable.append(exc)

    threads = [
        threading.Thread(target=lock_both, args=[ids]) for ids in [(one, other), (other, one)]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert ["deadlock detected" in str(exc) for exc in unavailable] == [True]


def test_a_serialization_failure_is_unavailable(postgresql: Database) -> None:
    task_id = records_a_task(postgresql)
    change = text("UPDATE taskgate_tasks SET version = version + 1 WHERE id = :id")

    def lose_a_race() -> None:
        with postgresql.write() as tx:
            tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            tx.execute(PING)
            with postgresql.write() as faster:
                faster.execute(change, {"id": task_id})
            tx.execute(change, {"id": task_id})

    with pytest.raises(StoreUnavailable, match="could not serialize"):
        lose_a_race()


@pytest.mark.parametrize("mode", ["write", "autocommit"])
def test_a_connection_that_is_ended_while_it_is_used_is_unavailable(
    postgresql: Database, mode: str
) -> None:
    def be_terminated() -> None:
        with getattr(postgresql, mode)() as tx:
            tx.execute(PING)
            terminate_others(postgresql)
            tx.execute(PING)

    with pytest.raises(StoreUnavailable, match="does not answer"):
        be_terminated()
    renews_a_lease(postgresql)


@pytest.mark.parametrize("mode", ["read", "write", "autocommit"])
def test_a_connection_that_was_ended_in_the_pool_is_replaced(
    postgresql: Database, mode: str
) -> None:
    begin = getattr(postgresql, mode)
    with begin() as tx, begin() as other:
        tx.execute(PING)
        other.execute(PING)
    terminate_others(postgresql)
    for _ in range(3):
        with begin() as tx:
            assert tx.execute(PING).scalar_one() == 1


def terminate_others(database: Database) -> None:
    """End all connections to the database; returns when they have gone."""
    administration = Database(database.url.render_as_string(hide_password=False))
    with administration.autocommit() as tx:
        assert tx.execute(_TERMINATE_OTHERS).all()
        wait_until(lambda: tx.execute(_COUNT_OTHERS).scalar_one() == 0)
    administration.close()


_TERMINATE_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_COUNT_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_too_many_connections_are_unavailable() -> None:
    with PostgresServer("superuser_reserved_connections=0", "max_connections=3") as server:
        server.create_database("record")
        databases = [Database(server.url("record")) for _ in range(4)]
        with pytest.raises(StoreUnavailable, match="too many"), nested(databases):
            pytest.fail("more connections than allowed")
        for database in databases:
            database.close()


@contextmanager
def nested(databases: list[Database]) -> Iterator[None]:
    if not databases:
        yield
        return
    with databases[0].read() as tx:
        tx.execute(PING)
        with nested(databases[1:]):
            yield


def test_all_connections_of_the_pool_in_use_are_unavailable(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 1)
    database = Database(postgres_url, pool_size=1)
    two = [database, database]  # one more than the pool keeps
    with nested(two), pytest.raises(StoreUnavailable, match="in use"), database.read():
        pytest.fail("a third connection")
    database.close()


def test_a_slow_read_is_ended_and_a_slow_write_is_not(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine._BEFORE, "read", "SET LOCAL statement_timeout = '100ms'; ")
    database = Database(postgres_url)
    sleep = text("SELECT pg_sleep(0.5)")
    with pytest.raises(StoreUnavailable, match="statement timeout"), database.read() as tx:
        tx.execute(sleep)
    with database.write() as tx:
        tx.execute(sleep)
    with database.autocommit() as tx:
        tx.execute(sleep)
    database.close()


@pytest.mark.parametrize("record", ["sqlite", "postgres"])
def test_what_is_committed_of_statements_that_fail_later(
    record: str, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(record)

    def start_and_fail() -> None:
        with database.autocommit() as tx:
            workers.start(tx, "w", {}, timedelta(seconds=9))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start_and_fail()
    with database.read() as tx:
        assert (workers.find(tx, "w") is not None) == (record == "postgres")


def test_a_value_that_does_not_fit_is_refused_in_each_mode(postgresql: Database) -> None:
    for begin in (postgresql.write, postgresql.autocommit):
        with pytest.raises(ValueRefused, match="too long"), begin() as tx:
            workers.start(tx, "w" * 300, {}, timedelta(seconds=1))


def test_a_value_that_no_index_can_hold_is_refused(postgresql: Database) -> None:
    def name() -> str:
        return "".join(chr(0x20000 + secrets.randbelow(40_000)) for _ in range(255))

    with pytest.raises(ValueRefused, match="index row"), postgresql.write() as tx:
        submission.submit(tx, [new_task(id=name(), labels={name(): name()})])


def test_a_statement_that_can_never_work_is_neither(database: Database) -> None:
    def run(statement: str) -> None:
        with database.write() as tx:
            tx.execute(text(statement))

    with pytest.raises(DBAPIError, match=r"no such table|does not exist"):
        run("SELECT 1 FROM taskgate_nothing")
    with pytest.raises(IntegrityError):
        run("INSERT INTO taskgate_groups (id) VALUES ('no result')")


def test_a_locked_sqlite_is_unavailable(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SQLITE_BUSY_SECONDS", 0.1)
    database = upgraded(sqlite_url)
    with database.write():
        with pytest.raises(StoreUnavailable, match="locked"):
            records_a_task(database)
        with pytest.raises(StoreUnavailable, match="locked"):
            renews_a_lease(database)


@pytest.mark.parametrize(
    ("pragma", "message"), [("query_only = 1", "readonly"), ("max_page_count = 1", "full")]
)
def test_a_sqlite_that_cannot_be_written_now_is_unavailable(
    sqlite_url: str, pragma: str, message: str
) -> None:
    database = upgraded(sqlite_url)

    def write() -> None:
        with database.autocommit() as tx:
            tx.execute(text(f"PRAGMA {pragma}"))
            tx.execute(text("CREATE TABLE large AS SELECT zeroblob(1000000)"))

    with pytest.raises(StoreUnavailable, match=message):
        write()
    database.close()


def test_a_read_of_sqlite_that_takes_too_long_is_unavailable(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "READ_SECONDS", 0.2)
    database = upgraded(sqlite_url)
    last = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT :most) "
        "SELECT max(i) FROM n"
    )

    with pytest.raises(StoreUnavailable, match="interrupted"), database.read() as tx:
        tx.execute(last, {"most": 10**12})
    monkeypatch.setattr(engine, "READ_SECONDS", 60)
    with database.read() as tx:  # on the same connection
        assert tx.execute(last, {"most": 10**6}).scalar_one() == 10**6
    records_a_task(database)
    database.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    file.write_text("not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        upgraded(f"sqlite:///{file}")


def test_a_number_that_sqlite_has_no_place_for_is_refused(sqlite: Database) -> None:
    with pytest.raises(ValueRefused), sqlite.write() as tx:
        submission.submit(tx, [new_task(priority=1 << 70)])
