"""The connection to the database, with read and write transactions that fail in one way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from taskgate.store import forks
from taskgate.store.errors import StoreUnavailable, ValueRefused

SQLITE_BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one."""

CONNECT_SECONDS = 5
"""How long to wait for PostgreSQL to take a connection."""

IDLE_SECONDS = 10
"""How long PostgreSQL lets a transaction wait for its client before it takes it back."""

# A database that is cut off must fail a call in seconds, not when TCP gives up after many minutes.
_POSTGRESQL_OPTIONS = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "taskgate",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Database:
    """An engine whose transactions raise the store's own errors.

    Safe to share between threads, not across a fork: see ``forget_connections``.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        """``url``: ``postgresql://…``, ``postgres://…`` (both psycopg2) or ``sqlite:///…``.

        Raises:
            ValueError: the URL is of another database.
        """
        self.url = parse_url(url)
        self.engine = _create_engine(self.url, pool_size)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite, where one transaction writes at a time."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with _translated_errors(), self._connect(writes=False) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, rolled back on an exception.

        Raises:
            StoreUnavailable: the database does not answer, or did not confirm the commit.
            ValueRefused: the database cannot hold a value.
        """
        with _translated_errors(), self._connect(writes=True) as tx:
            yield tx

    @contextmanager
    def _connect(self, *, writes: bool) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            tx = connection.execution_options(taskgate_writes=writes)
            with tx.begin():
                yield tx

    def forget_connections(self) -> None:
        """Call in a forked child: its parent's connections are not its own to use or close."""
        forks.leave_behind(self.engine)

    def close(self) -> None:
        """Close the connections; the next transaction opens a new one."""
        self.engine.dispose()


def parse_url(url: str) -> URL:
    """The database URL with the driver that taskgate uses for it.

    Raises:
        ValueError: it is no URL, or of a database that taskgate does not keep records in.
    """
    try:
        parsed = make_url(url)
    except SQLAlchemyError as exc:
        raise ValueError(f"{url!r} is not a database URL such as postgresql://host/name") from exc
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            # SQLAlchemy 2.1 would choose psycopg 3.
            return parsed.set(drivername="postgresql+psycopg2")
        case "sqlite":
            return parsed.set(drivername="sqlite+pysqlite")
        case other:
            raise ValueError(
                f"{other!r} databases cannot hold the record: use PostgreSQL or SQLite"
            )


def _create_engine(url: URL, pool_size: int) -> Engine:
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            url,
            poolclass=forks.ForkAwarePool,
            connect_args={"timeout": SQLITE_BUSY_SECONDS},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        connect_args=_POSTGRESQL_OPTIONS,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # A worker that is frozen or cut off within a transaction keeps its rows locked: nobody else
    # could put its tasks back. Not an option of the connection: PgBouncer would refuse it.
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.autocommit = False


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # An answered Submit is on disk: with NORMAL a power cut could take the last commits back.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail at once with "database is locked",
    # whatever the busy timeout; one that says at the start that it will write waits its turn.
    writes = connection.get_execution_options().get("taskgate_writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as exc:
        raise StoreUnavailable(f"the database does not answer: {_first_line(exc)}") from exc
    # SQLite's driver says OverflowError of an integer that has no place in 64 bits.
    except (DataError, OverflowError) as exc:
        raise ValueRefused(f"the database cannot hold a value: {_first_line(exc)}") from exc
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise StoreUnavailable(f"the database connection broke: {_first_line(exc)}") from exc
        raise


def _first_line(exc: Exception) -> str:
    cause = getattr(exc, "orig", None) or exc
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
