"""The embedded broker: messages in a database, in the tables of kombu's own SQL transport.

Programs with kombu's transport (``sqla+…``) can use the same tables. This one looks for messages
ten times a second, publishes a batch in one transaction, deletes what was consumed, keeps SQLite in
WAL mode, and survives a fork.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual
from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from taskgate.store.database import forks, wal
from taskgate.store.database.engine import SQLITE_BUSY_SECONDS
from taskgate.store.database.urls import parse_url
from taskgate.tasks.brokers.transports import UNREADABLE, CarefulTransport, drop

IDLE_POLLING_SECONDS = 0.1
"""How often an idle worker looks for messages."""

BUSY_POLLING_SECONDS = 0.01
"""How often it looks after it has had one. A worker whose slots are full looks, too, whether one is
free: at the idle pace a worker with two slots ran no more than twenty tasks a second."""

BUSY_SECONDS = 2.0

LONGEST_DRAIN_SECONDS = 0.2
"""How long a worker may look for messages before it looks whether it is to stop."""

_NAMES = ("sqla", "sqlalchemy")
"""The transport's names in broker URLs: ``sqla+sqlite:///…``."""


@dataclass(frozen=True)
class Tables:
    """Where queues and messages are kept."""

    queues: Table
    messages: Table
    by_queue: Index


@cache
def tables(
    queue_tablename: str = "kombu_queue", message_tablename: str = "kombu_message"
) -> Tables:
    """The tables of kombu's transport, by the names in its options."""
    metadata = MetaData()
    queues = Table(
        queue_tablename,
        metadata,
        Column("id", Integer, Sequence("queue_id_sequence"), primary_key=True, autoincrement=True),
        Column("name", String(200), unique=True),
        sqlite_autoincrement=True,
    )
    queue_id = ForeignKey(queues.c.id, name="FK_kombu_message_queue")
    sequence = Sequence("message_id_sequence")
    messages = Table(
        message_tablename,
        metadata,
        Column("id", Integer, sequence, primary_key=True, autoincrement=True),
        Column("visible", Boolean, index=True),
        Column("timestamp", DateTime, index=True),
        Column("payload", Text, nullable=False),
        Column("version", SmallInteger, nullable=False),
        Column("queue_id", queue_id),
        sqlite_autoincrement=True,
    )
    name = f"ix_{message_tablename}_queue_id_id"
    return Tables(queues, messages, Index(name, messages.c.queue_id, messages.c.id))


def is_sql(url: str) -> bool:
    """Whether the broker URL is of a database."""
    return url.partition("+")[0] in _NAMES


_engines: dict[str, Engine] = {}
_created: set[tuple[str, Tables]] = set()
_opening = threading.Lock()


def forget_connections() -> None:
    """Call in a forked child: its parent's connections are not its own to use or close."""
    for engine in _engines.values():
        forks.leave_behind(engine)


class Channel(virtual.Channel):
    """Takes and puts messages, each in one short transaction."""

    _queue_ids: dict[str, int]

    def __init__(self, connection: Any, **options: Any) -> None:
        super().__init__(connection, **options)
        names = ("queue_tablename", "message_tablename")
        options = connection.client.transport_options
        self._tables = tables(**{name: options[name] for name in names if name in options})
        self._engine = _engine(connection.client.hostname, self._tables)
        self._queue_ids = {}

    def _new_queue(self, queue: str, **_: Any) -> None:
        self._queue_id(queue)

    def _has_queue(self, queue: str, **_: Any) -> bool:
        with self._engine.begin() as tx:
            return self._find_queue(tx, queue) is not None

    def _queue_id(self, queue: str) -> int:
        if queue not in self._queue_ids:
            self._queue_ids[queue] = self._find_or_make_queue(queue)
        return self._queue_ids[queue]

    def _find_or_make_queue(self, queue: str) -> int:
        try:
            with self._engine.begin() as tx:
                found = self._find_queue(tx, queue)
                return (
                    found
                    or tx.execute(
                        insert(self._tables.queues)
                        .values(name=queue)
                        .returning(self._tables.queues.c.id)
                    ).scalar_one()
                )
        except IntegrityError:  # someone else made it at the same moment
            with self._engine.begin() as tx:
                return self._find_queue(tx, queue) or 0

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        del timeout
        first = (
            select(self._tables.messages.c.id)
            .where(
                self._tables.messages.c.queue_id == self._queue_id(queue),
                self._tables.messages.c.visible,
            )
            .order_by(self._tables.messages.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._engine.begin() as tx:
            # First only a look, so that an idle worker never takes SQLite's write lock.
            message_id = tx.execute(first).scalar()
            taken = None if message_id is None else self._take(tx, message_id)
        if taken is None:
            raise Empty
        return _read(taken, queue)

    def _find_queue(self, tx: Connection, name: str) -> int | None:
        queues = self._tables.queues
        return tx.execute(select(queues.c.id).where(queues.c.name == name)).scalar()

    def _take(self, tx: Connection, message_id: int) -> str | None:
        messages = self._tables.messages
        taken = delete(messages).where(messages.c.id == message_id)
        return tx.execute(taken.returning(messages.c.payload)).scalar()

    def _put(
        self, queue: str, message: Any, _publish_batch: PublishBatch | None = None, **_: Any
    ) -> None:
        row = {
            "queue_id": self._queue_id(queue),
            "payload": json.dumps(message),
            "visible": True,
            "version": 1,
        }
        if _publish_batch is not None:
            _publish_batch.rows.append(row)
        else:
            self.put_all([row])

    def put_all(self, rows: list[dict[str, Any]]) -> None:
        """Write messages in one transaction."""
        with self._engine.begin() as tx:
            tx.execute(insert(self._tables.messages), rows)

    def _size(self, queue: str) -> int:
        with self._engine.begin() as tx:
            waiting = self._tables.messages.c.visible & (
                self._tables.messages.c.queue_id == self._queue_id(queue)
            )
            return tx.execute(select(func.count()).where(waiting)).scalar_one()

    def _purge(self, queue: str) -> int:
        with self._engine.begin() as tx:
            in_queue = self._tables.messages.c.queue_id == self._queue_id(queue)
            return tx.execute(delete(self._tables.messages).where(in_queue)).rowcount

    def create_publish_batch(self, max_size: int) -> PublishBatch:
        """Answers kombu's hook for ``Producer.batch()``."""
        del max_size  # one transaction, whatever the size
        return PublishBatch(self)


class PublishBatch:
    """The messages of one ``Producer.batch()``, written in one transaction."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.rows: list[dict[str, Any]] = []

    def publish(self, message: Any, **options: Any) -> Any:
        return self.channel.basic_publish(message, _publish_batch=self, **options)

    def flush(self) -> None:
        rows, self.rows = self.rows, []
        if rows:
            self.channel.put_all(rows)

    def discard(self) -> None:
        self.rows.clear()

    def close(self) -> None:
        self.rows.clear()


class Transport(CarefulTransport):
    """The transport class, as kombu finds it by its name."""

    Channel = Channel
    can_parse_url = True
    driver_type = "sql"
    driver_name = "taskgate"
    connection_errors = (SQLAlchemyError,)
    _delivered_at = float("-inf")

    @property
    def polling_interval(self) -> float:  # type: ignore[override]  # kombu only reads it
        """Seconds until the next look for messages."""
        is_busy = time.monotonic() - self._delivered_at < BUSY_SECONDS
        return BUSY_POLLING_SECONDS if is_busy else IDLE_POLLING_SECONDS

    def drain_events(self, connection: Any, timeout: float | None = None, **options: Any) -> Any:
        """Take messages until there is none, or until the time is over."""
        seconds = LONGEST_DRAIN_SECONDS if timeout is None else min(timeout, LONGEST_DRAIN_SECONDS)
        return super().drain_events(connection, timeout=seconds, **options)

    def _deliver(self, message: Any, queue: str | None) -> None:
        self._delivered_at = time.monotonic()
        super()._deliver(message, queue)


def _read(payload: str, queue: str) -> Any:
    try:
        return json.loads(payload)
    except UNREADABLE as exc:
        drop(payload, queue, exc)
        raise Empty from exc


def _engine(url: str, tables: Tables) -> Engine:
    with _opening:
        if url not in _engines:
            _engines[url] = _create_engine(parse_url(url))
        if (url, tables) not in _created:
            _create_tables(_engines[url], tables)
            _created.add((url, tables))
        return _engines[url]


def _create_tables(engine: Engine, tables: Tables) -> None:
    try:
        _create_missing(engine, tables)
    except (IntegrityError, OperationalError, ProgrammingError):
        # Another process was creating them at the same moment: now they are there.
        _create_missing(engine, tables)


def _create_missing(engine: Engine, tables: Tables) -> None:
    tables.queues.metadata.create_all(engine)
    tables.by_queue.create(engine, checkfirst=True)  # kombu's own tables have none


def _create_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, poolclass=forks.ForkAwarePool, connect_args={"timeout": SQLITE_BUSY_SECONDS}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: Any) -> None:
    cursor = connection.cursor()
    wal.enable(cursor, wait_seconds=SQLITE_BUSY_SECONDS)
    # A power cut may take the last messages; the record has them and they are published again.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
