"""The broker, the record and the mirror of a deployment, and how a test gets in their way."""

from __future__ import annotations

import itertools
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp
import psycopg2
import redis
from sqlalchemy import make_url

from support.postgres import PostgresServer
from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from support.server import Server
from support.waiting import wait_until

SETUPS = ("sqla+sqlite", "redis+postgresql", "rabbitmq+postgresql", "sqla+postgresql")
"""Broker and record. `sqla+sqlite` is what taskgate uses with nothing configured."""

IDLE_QUEUES = ("idle-1", "idle-2", "idle-3", "idle-4")
"""Queues that no worker serves before a test starts one."""

QUEUES = ("celery", *IDLE_QUEUES)

_LOCK_SECONDS = 20
_numbers = itertools.count(1)


class Broker(ABC):
    """A broker with nothing in it, for one deployment."""

    url: str
    """For CELERY_BROKER_URL."""

    @abstractmethod
    def messages(self) -> list[str]:
        """What lies in the queues, taken by nobody, each as its raw text; in RabbitMQ `QUEUES`."""

    @abstractmethod
    def put_raw(self, queue: str, payload: str) -> None:
        """Put a text into an existing queue as the broker's own program would."""

    @abstractmethod
    def down(self) -> AbstractContextManager[None]:
        """Meanwhile nothing can be published; what was in the broker may be lost."""

    @abstractmethod
    def frozen(self) -> AbstractContextManager[None]:
        """Meanwhile the broker does not answer; then it goes on where it was."""

    def has_message(self, task_id: str) -> bool:
        """Whether a message of the task lies in a queue."""
        return self.count_messages(task_id) > 0

    def count_messages(self, task_id: str) -> int:
        """How many messages of the task lie in the queues."""
        return sum(task_id in message for message in self.messages())

    def wait_for_messages(self, task_id: str, number: int = 1) -> None:
        """Return once so many messages of the task lie in the queues."""
        wait_until(lambda: self.count_messages(task_id) >= number, 30, f"{number} messages")


@dataclass(frozen=True)
class Engines:
    """What a deployment stands on."""

    broker: Broker
    database_url: str
    mirror_url: str = ""
    """For CELERY_RESULT_BACKEND; empty: none."""

    def outbox_locked(self) -> AbstractContextManager[None]:
        """Meanwhile nobody can write to the record's outbox."""
        url = make_url(self.database_url)
        if url.get_backend_name() == "sqlite":
            return _locked(Path(url.database or ""))
        return _table_locked(self.database_url, "taskgate_outbox")


def on_sqlite(folder: Path) -> Engines:
    """SQLite files: broker, record and mirror."""
    return Engines(
        SqliteBroker(folder / "broker.db"),
        f"sqlite:///{folder / 'record.db'}",
        f"db+sqlite:///{folder / 'mirror.db'}",
    )


@contextmanager
def on_postgres(
    postgres: PostgresServer, broker: RedisServer | RabbitMQServer | None
) -> Iterator[Engines]:
    """The record in a database of its own; so are the messages if there is no broker."""
    with ExitStack() as exits:
        record = exits.enter_context(_database(postgres))
        match broker:
            case RedisServer():
                yield Engines(RedisBroker(broker), record, broker.empty_database())
            case RabbitMQServer():
                yield Engines(RabbitMQBroker(broker), record, f"db+{record}")
            case None:
                messages = exits.enter_context(_database(postgres))
                yield Engines(PostgresBroker(messages), record, f"db+{record}")


@contextmanager
def _database(postgres: PostgresServer) -> Iterator[str]:
    name = f"engines_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


class SqliteBroker(Broker):
    """kombu's tables in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqla+sqlite:///{path}"

    def messages(self) -> list[str]:
        with closing(_connect(self._path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
            if ("kombu_message",) not in tables:
                return []
            found = connection.execute("SELECT payload FROM kombu_message WHERE visible")
            return [payload for (payload,) in found]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(_connect(self._path)) as connection:
            connection.execute(
                "INSERT INTO kombu_message (visible, payload, version, queue_id)"
                " SELECT 1, ?, 1, id FROM kombu_queue WHERE name = ?",
                (payload, queue),
            )

    def down(self) -> AbstractContextManager[None]:
        return _locked(self._path)

    def frozen(self) -> AbstractContextManager[None]:
        return _locked(self._path)


class RedisBroker(Broker):
    """A database of a Redis; who takes that down takes its other databases with it."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self.url = server.empty_database()

    def messages(self) -> list[str]:
        client: Any = redis.Redis.from_url(self.url)  # redis-py's types leave open what it returns
        with closing(client):
            lists = [key for key in client.scan_iter() if client.type(key) == b"list"]
            return [item.decode() for key in lists for item in client.lrange(key, 0, -1)]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(redis.Redis.from_url(self.url)) as client:
            client.lpush(queue, payload)

    def down(self) -> AbstractContextManager[None]:
        return _down(self._server)

    def frozen(self) -> AbstractContextManager[None]:
        return _frozen(self._server)


class RabbitMQBroker(Broker):
    """A virtual host of a RabbitMQ; who takes that down takes the others with it."""

    def __init__(self, server: RabbitMQServer) -> None:
        self._server = server
        self.url = server.empty_vhost()

    def messages(self) -> list[str]:
        with self._channel() as channel:
            return [message for queue in QUEUES for message in _all_messages(channel, queue)]

    def put_raw(self, queue: str, payload: str) -> None:
        with self._channel() as channel:
            channel.basic_publish(amqp.Message(payload), routing_key=queue)

    def down(self) -> AbstractContextManager[None]:
        return _down(self._server)

    def frozen(self) -> AbstractContextManager[None]:
        return _frozen(self._server)

    @contextmanager
    def _channel(self) -> Iterator[amqp.Channel]:
        vhost = self.url.rpartition("/")[2]
        address = f"127.0.0.1:{self._server.port}"
        with amqp.Connection(address, virtual_host=vhost) as connection:
            yield connection.channel()


class PostgresBroker(Broker):
    """kombu's tables in a database of PostgreSQL."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self.url = f"sqla+{database_url}"

    def messages(self) -> list[str]:
        with (
            closing(psycopg2.connect(self._database_url)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT to_regclass('kombu_message')")
            if cursor.fetchall() == [(None,)]:
                return []
            cursor.execute("SELECT payload FROM kombu_message WHERE visible")
            return [payload for (payload,) in cursor.fetchall()]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(psycopg2.connect(self._database_url)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO kombu_message (id, visible, payload, version, queue_id)"
                    " SELECT nextval('message_id_sequence'), true, %s, 1, id FROM kombu_queue"
                    " WHERE name = %s",
                    (payload, queue),
                )
            connection.commit()

    def down(self) -> AbstractContextManager[None]:
        return _table_locked(self._database_url, "kombu_message")

    def frozen(self) -> AbstractContextManager[None]:
        return _table_locked(self._database_url, "kombu_message")


@contextmanager
def _down(server: Server) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def _frozen(server: Server) -> Iterator[None]:
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextmanager
def _table_locked(url: str, table: str) -> Iterator[None]:
    """Hold a lock on the table; whoever only reads goes on."""
    with closing(psycopg2.connect(url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def _all_messages(channel: amqp.Channel, queue: str) -> Iterator[str]:
    """What lies in the queue; it goes back when the channel is closed."""
    try:
        channel.queue_declare(queue, passive=True)
    except amqp.NotFound:
        channel.open()  # the broker closed it
        return
    while (message := channel.basic_get(queue)) is not None:
        yield f"{message.properties} {message.body!r}"


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's write lock; whoever only reads goes on."""
    with closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
