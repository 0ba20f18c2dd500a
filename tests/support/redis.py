"""A Redis server."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support.require import require
from support.server import Server

DATABASES = 256


class RedisServer(Server):
    """Redis. Once it ends it has forgotten all, unless told: RedisServer("--appendonly", "yes")."""

    name = "redis"

    def __init__(self, *options: str) -> None:
        super().__init__(*options)
        self._databases = itertools.cycle(range(DATABASES))

    def command(self) -> Sequence[str | Path]:
        return [
            require("redis-server"),
            *("--port", str(self.port)),
            *("--bind", "127.0.0.1"),
            *("--dir", str(self.folder)),
            *("--databases", str(DATABASES)),
            *("--save", ""),
            *("--appendonly", "no"),
            *self.options,
        ]

    def is_ready(self) -> bool:
        with closing(self.client()) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def client(self, database: int = 0, timeout: float = 5) -> redis.Redis:
        """Make a client that reports a failure at once, where redis-py would try again."""
        return redis.Redis(
            port=self.port, db=database, socket_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )

    def url(self, database: int = 0) -> str:
        """Return a database's address, as CELERY_BROKER_URL takes it."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def empty_database(self) -> str:
        """Return the address of a database with nothing in it."""
        database = next(self._databases)
        with closing(self.client(database)) as client:
            client.flushdb()
        return self.url(database)
