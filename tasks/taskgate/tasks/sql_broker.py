"""The embedded broker: kombu's SQL transport, made quick and safe to share.

Beside kombu's own it looks for messages ten times a second, publishes a batch in one transaction,
deletes what was consumed, keeps SQLite in WAL mode, and survives a fork.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from queue import Empty
from typing import Any

from kombu import transport as kombu_transports
from kombu.transport import sqlalchemy as kombu_sql
from sqlalchemy import URL, Engine, Index, create_engine, event, insert, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from taskgate.store.engine import SQLITE_BUSY_SECONDS

NAME = "taskgate-sql"
"""The transport's name in broker URLs: ``taskgate-sql+sqlite:///…``."""

POLLING_SECONDS = 0.1
"""How often an idle worker looks for messages."""

_KOMBU_NAMES = ("sqla", "sqlalchemy")

# Its stubs leave most of it out.
_kombu: Any = kombu_sql


def broker_url(url: str) -> str:
    """``sqla+<database URL>`` as a URL of this transport; any other URL as it is."""
    name, plus, database = url.partition("+")
    return f"{NAME}+{database}" if plus and name in _KOMBU_NAMES else url


def is_sql(url: str) -> bool:
    """Whether the broker URL is of a database."""
    return url.partition("+")[0] in (NAME, *_KOMBU_NAMES)


def forget_connections() -> None:
    """Call in a forked child: its parent's connections are not its own to use or close."""
    for engine, _ in Channel._engines.values():  # noqa: SLF001 - our own subclass's
        engine.dispose(close=False)


class Channel(_kombu.Channel):  # type: ignore[misc]
    """Takes and puts messages, each in one short transaction."""

    _engines: dict[str, tuple[Engine, Any]] = {}  # noqa: RUF012 - kombu shares it so, too
    _opening = threading.Lock()

    def _open(self) -> tuple[Engine, Any]:
        url = self.connection.client.hostname
        with self._opening:
            if url not in self._engines:
                engine = _create_engine(_with_driver(make_url(url)))
                self._create_tables(engine)
                self._engines[url] = engine, sessionmaker(bind=engine)
            return self._engines[url]

    def _create_tables(self, engine: Engine) -> None:
        messages = self.message_cls.__table__
        by_queue = Index(f"ix_{messages.name}_queue", messages.c.queue_id, messages.c.id)
        messages.indexes.discard(by_queue)  # kombu's own programs need not know it
        try:
            _kombu.metadata.create_all(engine)
            by_queue.create(engine, checkfirst=True)
        except DBAPIError:
            # Another process was creating them at the same moment: now they are there.
            _kombu.metadata.create_all(engine)
            by_queue.create(engine, checkfirst=True)

    def _queue_id(self, queue: str) -> int:
        known: dict[str, int] = self.__dict__.setdefault("_queue_ids", {})
        if queue not in known:
            known[queue] = self._get_or_create(queue).id
            self.session.commit()
        return known[queue]

    def _get(self, queue: str) -> dict[str, Any]:
        messages = self.message_cls.__table__
        first = (
            select(messages.c.id)
            .where(messages.c.queue_id == self._queue_id(queue), messages.c.visible)
            .order_by(messages.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        engine, _ = self._open()
        # SQLite: only a look, so that an idle worker never takes the write lock.
        with engine.begin() as tx:
            message_id = tx.execute(first).scalar()
            taken = None if message_id is None else self._take(tx, message_id)
        if taken is None:
            raise Empty
        message: dict[str, Any] = json.loads(taken)
        return message

    def _take(self, tx: Any, message_id: int) -> str | None:
        messages = self.message_cls.__table__
        statement = messages.delete().where(messages.c.id == message_id)
        payload: str | None = tx.execute(statement.returning(messages.c.payload)).scalar()
        return payload

    def _put(
        self,
        queue: str,
        payload: dict[str, Any],
        _publish_batch: PublishBatch | None = None,
        **_: Any,
    ) -> None:
        row = {
            "queue_id": self._queue_id(queue),
            "payload": json.dumps(payload),
            "visible": True,
            "version": 1,
        }
        if _publish_batch is not None:
            _publish_batch.rows.append(row)
        else:
            self._insert([row])

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        engine, _ = self._open()
        with engine.begin() as tx:
            tx.execute(insert(self.message_cls.__table__), rows)

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
            self.channel._insert(rows)  # noqa: SLF001 - its other half

    def discard(self) -> None:
        self.rows.clear()

    def close(self) -> None:
        self.rows.clear()


class Transport(_kombu.Transport):  # type: ignore[misc]
    """The transport class, as kombu finds it by its name."""

    Channel = Channel
    polling_interval = POLLING_SECONDS
    connection_errors = (SQLAlchemyError,)


def _with_driver(url: URL) -> URL:
    # SQLAlchemy 2.1 would choose psycopg 3.
    is_postgresql = url.drivername in ("postgresql", "postgres")
    return url.set(drivername="postgresql+psycopg2") if is_postgresql else url


def _create_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # A power cut may take the last messages; the record has them and they are published again.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


kombu_transports.TRANSPORT_ALIASES[NAME] = f"{__name__}:Transport"
