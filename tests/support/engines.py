"""The broker, the record and the mirror of a deployment, and how a test gets in their way."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import amqp
import psycopg2

from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from support.server import Server
from support.waiting import wait_until

_LOCK_SECONDS = 20


class Engines(ABC):
    """One choice of broker, record and mirror."""

    broker_url: str
    database_url: str
    mirror_url: str
    """For CELERY_RESULT_BACKEND."""

    @abstractmethod
    def messages(self) -> list[str]:
        """What lies in the broker's queues, taken by nobody, each as its raw text."""

    @abstractmethod
    def put_raw(self, queue: str, payload: str) -> None:
        """Put a text into an existing queue as the broker's own program would."""

    @abstractmethod
    def broker_down(self) -> AbstractContextManager[None]:
        """Meanwhile nothing can be published; what was in the broker may be lost."""

    @abstractmethod
    def broker_frozen(self) -> AbstractContextManager[None]:
        """Meanwhile the broker does not answer; then it goes on where it was."""

    @abstractmethod
    def outbox_locked(self) -> AbstractContextManager[None]:
        """Meanwhile nobody can write to the record's outbox."""

    def has_message(self, task_id: str) -> bool:
        """Whether a message of the task lies in a queue."""
        return self.count_messages(task_id) > 0

    def count_messages(self, task_id: str) -> int:
        """How many messages of the task lie in the queues."""
        return sum(task_id in message for message in self.messages())

    def wait_for_messages(self, task_id: str, number: int = 1) -> None:
        """Return once so many messages of the task lie in the queues."""
        wait_until(lambda: self.count_messages(task_id) >= number, 30, f"{number} messages")


class Embedded(Engines):
    """SQLite files: what taskgate uses with nothing configured, and one more for the mirror."""

    def __init__(self, folder: Path) -> None:
        self._broker = folder / "broker.db"
        self._record = folder / "record.db"
        self.broker_url = f"sqla+sqlite:///{self._broker}"
        self.database_url = f"sqlite:///{self._record}"
        self.mirror_url = f"db+sqlite:///{folder / 'mirror.db'}"

    def messages(self) -> list[str]:
        with closing(_connect(self._broker)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall():
                return []
            found = connection.execute("SELECT payload FROM kombu_message WHERE visible")
            return [payload for (payload,) in found]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(_connect(self._broker)) as connection:
            connection.execute(
                "INSERT INTO kombu_message (visible, payload, version, queue_id)"
                " SELECT 1, ?, 1, id FROM kombu_queue WHERE name = ?",
                (payload, queue),
            )

    def broker_down(self) -> AbstractContextManager[None]:
        return _locked(self._broker)

    def broker_frozen(self) -> AbstractContextManager[None]:
        return _locked(self._broker)

    def outbox_locked(self) -> AbstractContextManager[None]:
        return _locked(self._record)


class _PostgresRecord(Engines):
    """PostgreSQL for the record, and for the mirror beside it."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.mirror_url = f"db+{database_url}"

    def outbox_locked(self) -> AbstractContextManager[None]:
        return _table_locked(self.database_url, "taskgate_outbox")


class OnRedis(_PostgresRecord):
    """A Redis for this deployment alone, with the mirror in its second database."""

    def __init__(self, database_url: str, redis_server: RedisServer) -> None:
        super().__init__(database_url)
        self._redis = redis_server
        self.broker_url = redis_server.url()
        self.mirror_url = redis_server.url(1)

    def messages(self) -> list[str]:
        client: Any = self._redis.client()  # redis-py's types leave open what it returns
        with closing(client):
            lists = [key for key in client.scan_iter() if client.type(key) == b"list"]
            return [item.decode() for key in lists for item in client.lrange(key, 0, -1)]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(self._redis.client()) as client:
            client.lpush(queue, payload)

    def broker_down(self) -> AbstractContextManager[None]:
        return _down(self._redis)

    def broker_frozen(self) -> AbstractContextManager[None]:
        return _frozen(self._redis)


class OnRabbitMQ(_PostgresRecord):
    """A RabbitMQ for this deployment alone."""

    def __init__(
        self, database_url: str, rabbitmq_server: RabbitMQServer, queues: Sequence[str]
    ) -> None:
        super().__init__(database_url)
        self._rabbitmq = rabbitmq_server
        self._queues = queues
        self.broker_url = rabbitmq_server.empty_vhost()

    def messages(self) -> list[str]:
        with self._channel() as channel:
            return [message for queue in self._queues for message in _all_messages(channel, queue)]

    def put_raw(self, queue: str, payload: str) -> None:
        with self._channel() as channel:
            channel.basic_publish(amqp.Message(payload), routing_key=queue)

    def broker_down(self) -> AbstractContextManager[None]:
        return _down(self._rabbitmq)

    def broker_frozen(self) -> AbstractContextManager[None]:
        return _frozen(self._rabbitmq)

    @contextmanager
    def _channel(self) -> Iterator[amqp.Channel]:
        vhost = self.broker_url.rpartition("/")[2]
        address = f"127.0.0.1:{self._rabbitmq.port}"
        with amqp.Connection(address, virtual_host=vhost) as connection:
            yield connection.channel()


class OnPostgres(_PostgresRecord):
    """The broker in a database of PostgreSQL, too, but in another one."""

    def __init__(self, database_url: str, broker_database_url: str) -> None:
        super().__init__(database_url)
        self._broker = broker_database_url
        self.broker_url = f"sqla+{broker_database_url}"

    def messages(self) -> list[str]:
        with closing(psycopg2.connect(self._broker)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('kombu_message')")
            if cursor.fetchall() == [(None,)]:
                return []
            cursor.execute("SELECT payload FROM kombu_message WHERE visible")
            return [payload for (payload,) in cursor.fetchall()]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(psycopg2.connect(self._broker)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO kombu_message (id, visible, payload, version, queue_id)"
                    " SELECT nextval('message_id_sequence'), true, %s, 1, id FROM kombu_queue"
                    " WHERE name = %s",
                    (payload, queue),
                )
            connection.commit()

    def broker_down(self) -> AbstractContextManager[None]:
        return _table_locked(self._broker, "kombu_message")

    def broker_frozen(self) -> AbstractContextManager[None]:
        return _table_locked(self._broker, "kombu_message")


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
