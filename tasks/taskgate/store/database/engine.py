"""The connection to the database: transactions that read or write, and that fail in one way."""

from __future__ import annotations

import select
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_UNKNOWN
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from taskgate.store.database import forks, wal
from taskgate.store.database.urls import hide_passwords, parse_url
from taskgate.store.errors import RecordLocked, StoreUnavailable, ValueRefused

SQLITE_BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one."""

CONNECT_SECONDS = 5
"""How long to wait for PostgreSQL to take a connection."""

READ_SECONDS = 10
"""How long PostgreSQL may take for one statement of ``read``, and SQLite for all of them."""

_LOOK_EVERY = 100_000
"""Steps of SQLite's machine between two looks at the time: some milliseconds."""

IDLE_SECONDS = 10
"""How long PostgreSQL lets a transaction wait for its client before it takes it back."""

LOCK_SECONDS = 5
"""How long a transaction of PostgreSQL's that writes waits for rows that another one has locked."""

_Mode = Literal["read", "write", "autocommit"]


class Database:
    """An engine whose transactions raise the store's own errors.

    Safe to share between threads, not across a fork: see ``forget_connections``.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        """``url``: ``postgresql://…``, ``postgres://…`` (both psycopg2) or ``sqlite:///…``.

        Raises:
            ValueError: it cannot be used.
        """
        self.url = parse_url(url)
        is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if is_sqlite else _postgresql(self.url, pool_size)

    def __str__(self) -> str:
        """Its URL, as it may be shown."""
        url = self.url.set(drivername=self.url.get_backend_name())
        return hide_passwords(url.render_as_string(hide_password=False))

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, where one transaction writes at a time."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Statements that only read.

        SQLite shows all of them one state of the database. On PostgreSQL each is a transaction of
        its own, in one round trip. What takes longer than ``READ_SECONDS`` is ended.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with self._connect("read") as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, rolled back on an exception.

        Raises:
            StoreUnavailable: the database does not answer, or did not confirm the commit.
            RecordLocked: of these, when it waited too long for someone else's transaction.
            ValueRefused: the database cannot hold a value.
        """
        with self._connect("write") as tx:
            yield tx

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """For a write of one statement, which PostgreSQL commits by itself, in one round trip.

        Of more statements PostgreSQL may commit some only; SQLite, where a transaction costs no
        round trip, commits all or none.

        Raises:
            StoreUnavailable: the database does not answer, or did not confirm the commit.
            ValueRefused: the database cannot hold a value.
        """
        with self._connect("autocommit") as tx:
            yield tx

    @contextmanager
    def _connect(self, mode: _Mode) -> Iterator[Connection]:
        with _translated_errors(), self.engine.connect() as connection:
            tx = connection.execution_options(taskgate_mode=mode)
            with tx.begin():
                yield tx

    def forget_connections(self) -> None:
        """Call in a forked child: its parent's connections are not its own to use or close."""
        forks.leave_behind(self.engine)

    def close(self) -> None:
        """Close the connections; the next transaction opens a new one."""
        self.engine.dispose()


def _mode(connection: Connection) -> _Mode:
    mode: _Mode = connection.get_execution_options().get("taskgate_mode", "write")
    return mode


# PostgreSQL. PgBouncer may stand in between, so nothing is set for a session: what has to be set
# goes with a transaction, in the same message as its BEGIN, or as its only statement.

_CONNECT_ARGS = {
    # A database that is cut off must fail a call in seconds, not when TCP gives up.
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "taskgate",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# A session of somebody's that locks a row and goes to lunch must not stop all others.
_LOCKS = f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; "

# A worker that is frozen or cut off within a transaction keeps its rows locked: nobody else could
# put its tasks back.
_BEGIN = (
    f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LOCKS}"
    f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
)

# Before the statement of a transaction that has no other: the database's default may be a level at
# which guarded statements fail where they should lose, and long reads hold others up.
_PINNED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; "
_BOUNDED = f"{_PINNED}SET LOCAL statement_timeout = '{READ_SECONDS}s'; "
_BEFORE: dict[_Mode, str] = {"read": _BOUNDED, "autocommit": _PINNED + _LOCKS, "write": ""}


class _Connection(psycopg2.extensions.connection):
    """Leaves BEGIN to us, as psycopg2 sends it alone; a statement without one is a transaction."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.autocommit = True

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, command: str) -> None:
        if self.info.transaction_status in (TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_UNKNOWN):
            return  # autocommitted, or the connection is broken
        with self.cursor() as cursor:
            cursor.execute(command)


def _postgresql(url: Any, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECT_SECONDS,
        use_native_hstore=False,  # it would ask for hstore's type at every connect
        connect_args={**_CONNECT_ARGS, "connection_factory": _Connection},
    )
    event.listen(engine, "checkout", _refuse_stale)
    event.listen(engine, "begin", _begin_postgresql)
    event.listen(engine, "before_cursor_execute", _pin, retval=True)
    event.listen(engine, "handle_error", _recognize_disconnect)
    return engine


def _refuse_stale(connection: Any, _entry: Any, _proxy: Any) -> None:
    """Have the pool replace a connection that the server has closed; costs no round trip."""
    if connection.closed or _has_input(connection.fileno()):
        raise DisconnectionError


def _has_input(socket: int) -> bool:
    """On an idle connection: the server has said goodbye, or is gone."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def _begin_postgresql(connection: Connection) -> None:
    if _mode(connection) == "write":
        connection.exec_driver_sql(_BEGIN)


def _pin(
    connection: Connection,
    _cursor: Any,
    statement: str,
    parameters: Any,
    _context: Any,
    _many: bool,
) -> tuple[str, Any]:
    return _BEFORE[_mode(connection)] + statement, parameters


def _recognize_disconnect(context: ExceptionContext) -> None:
    # A standby, or a server that shuts down, keeps the pool's connections open for a while: only a
    # new one may reach the server that takes writes.
    if _sqlstate(context.original_exception).startswith(("25006", "57P")):
        context.is_disconnect = True


# SQLite.


def _sqlite(url: Any) -> Engine:
    Path(url.database.removeprefix("file:")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        poolclass=forks.ForkAwarePool,
        connect_args={"timeout": SQLITE_BUSY_SECONDS},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    wal.enable(cursor, wait_seconds=SQLITE_BUSY_SECONDS)
    # An answered Submit is on disk: with NORMAL a power cut could take the last commits back.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


# A transaction that reads first and writes later can fail at once with "database is locked",
# whatever the busy timeout; one that says at the start that it will write waits its turn.
def _begin_sqlite(connection: Connection) -> None:
    reads = _mode(connection) == "read"
    _bound_sqlite(connection, time.monotonic() + READ_SECONDS if reads else None)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _bound_sqlite(connection: Connection, deadline: float | None) -> None:
    """Have SQLite give up at the deadline: nobody can end its thread from outside."""
    driver: Any = connection.connection.driver_connection
    if deadline is None:
        driver.set_progress_handler(None, 0)
    else:
        driver.set_progress_handler(lambda: time.monotonic() > deadline, _LOOK_EVERY)


# Errors.

_REFUSED = ("22", "54")
"""Classes of SQLSTATEs that are a value's fault: data exception, program limit exceeded."""

_NOT_NOW = ("08", "40", "53", "57", "58", "XX", "25006", "25P03", "25P04", "55006", "55P03")
"""SQLSTATEs that are neither the value's nor the statement's fault: no connection, serialization
and deadlock, no resources, shutdown and cancel, disk, bugs, read-only, timeouts, locks."""

_LOCK_NOT_AVAILABLE = "55P03"

_SQLITE_STATEMENT = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
    }
)
"""SQLite's codes of statements that will never work; of all others, busy to full, one can hope."""


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as exc:
        raise StoreUnavailable("all connections to the database are in use") from exc
    # SQLite's driver says OverflowError of an integer that has no place in 64 bits.
    except OverflowError as exc:
        raise ValueRefused(f"the database cannot hold a value: {_first_line(exc)}") from exc
    except DBAPIError as exc:
        if _is_values_fault(exc.orig):
            raise ValueRefused(f"the database cannot hold a value: {_first_line(exc)}") from exc
        if _sqlstate(exc.orig) == _LOCK_NOT_AVAILABLE:
            raise RecordLocked(f"someone else has it: {_first_line(exc)}") from exc
        if exc.connection_invalidated or _may_work_later(exc.orig):
            raise StoreUnavailable(f"the database does not answer: {_first_line(exc)}") from exc
        raise


def _is_values_fault(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return isinstance(error, sqlite3.DataError)
    return isinstance(error, psycopg2.DataError) or _sqlstate(error).startswith(_REFUSED)


def _may_work_later(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        code: int | None = getattr(error, "sqlite_errorcode", None)  # none: misuse of the driver
        return code is not None and code & 0xFF not in _SQLITE_STATEMENT
    state = _sqlstate(error)
    if (
        not state
    ):  # it did not come from the server: there is no connection, or the driver is misused
        return not isinstance(error, psycopg2.ProgrammingError | psycopg2.NotSupportedError)
    return state.startswith(_NOT_NOW)


def _sqlstate(error: BaseException | None) -> str:
    return getattr(error, "pgcode", None) or ""


def _first_line(exc: Exception) -> str:
    cause = getattr(exc, "orig", None) or exc
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
