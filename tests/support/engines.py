"""The broker and the record of a deployment, and how a test gets in their way."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from support.redis import RedisServer
from support.waiting import wait_until

_LOCK_SECONDS = 20


class Engines(ABC):
    """One choice of broker and record."""

    broker_url: str
    database_url: str

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
    """Two SQLite files: what taskgate uses with nothing configured."""

    def __init__(self, folder: Path) -> None:
        self._broker = folder / "broker.db"
        self._record = folder / "record.db"
        self.broker_url = f"sqla+sqlite:///{self._broker}"
        self.database_url = f"sqlite:///{self._record}"

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


class Servers(Engines):
    """PostgreSQL for the record, and a Redis for this deployment alone."""

    def __init__(self, database_url: str, redis_server: RedisServer) -> None:
        self._redis = redis_server
        self.broker_url = redis_server.url()
        self.database_url = database_url

    def messages(self) -> list[str]:
        client: Any = self._redis.client()  # redis-py's types leave open what it returns
        with closing(client):
            lists = [key for key in client.scan_iter() if client.type(key) == b"list"]
            return [item.decode() for key in lists for item in client.lrange(key, 0, -1)]

    def put_raw(self, queue: str, payload: str) -> None:
        with closing(self._redis.client()) as client:
            client.lpush(queue, payload)

    @contextmanager
    def broker_down(self) -> Iterator[None]:
        self._redis.kill()
        try:
            yield
        finally:
            self._redis.start()

    @contextmanager
    def broker_frozen(self) -> Iterator[None]:
        self._redis.pause()
        try:
            yield
        finally:
            self._redis.resume()

    @contextmanager
    def outbox_locked(self) -> Iterator[None]:
        with closing(psycopg2.connect(self.database_url)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
                cursor.execute("LOCK TABLE taskgate_outbox IN EXCLUSIVE MODE")
            yield


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file's write lock; whoever only reads goes on."""
    with closing(_connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
