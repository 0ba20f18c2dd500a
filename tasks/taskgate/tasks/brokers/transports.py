"""Which of kombu's transports taskgate brings its own of, and what these have in common.

Anyone who can write to the broker can write into a queue what is no message. That is dropped with a
log line; kombu would let it end the worker that takes it.
"""

from __future__ import annotations

from typing import Any, cast

import kombu
from celery import Celery
from celery.utils.log import get_logger
from kombu.connection import ConnectionPool, PooledConnection
from kombu.transport import virtual
from kombu.utils.imports import symbol_by_name

logger = get_logger(__name__)

_LONGEST_EXCERPT = 200

_OURS = {
    "sqla": "taskgate.tasks.brokers.sql:Transport",
    "sqlalchemy": "taskgate.tasks.brokers.sql:Transport",
    "redis": "taskgate.tasks.brokers.redis:Transport",
    "rediss": "taskgate.tasks.brokers.redis:Transport",
}


class _FindsOurs(kombu.Connection):
    def get_transport_cls(self) -> Any:
        name = self.transport_cls
        return symbol_by_name(_OURS[name]) if name in _OURS else super().get_transport_cls()


class Connection(_FindsOurs):
    """A connection that finds our transports by the names of kombu's, and so do its pools'."""

    def Pool(self, limit: int | None = None, **options: Any) -> _ConnectionPool:  # noqa: N802 - kombu's
        return _ConnectionPool(self, limit, **options)

    def __eqhash__(self) -> Any:
        # By it kombu's pools, one for all apps of a process, tell connections apart.
        hashed: Any = cast("Any", super()).__eqhash__()
        return type(hashed)(type(self), *hashed)


class _PooledConnection(_FindsOurs, PooledConnection):
    pass


class _ConnectionPool(ConnectionPool):
    def new(self) -> Any:
        settings = dict(cast("Any", self).connection._info(resolve=False))  # noqa: SLF001 - as kombu's
        return cast("Any", _PooledConnection)(self, **settings)


def use_ours(app: Celery) -> None:
    """Have the app's connections use our transports; other apps of the process keep kombu's."""
    cast("Any", app.amqp).Connection = Connection


class CarefulTransport(virtual.Transport):
    """Drops what is no envelope before anything else sees it."""

    def _deliver(self, message: Any, queue: str | None) -> None:
        try:
            [channel, *_] = self.channels or []
            channel.Message(message, channel=channel)
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            drop(message, queue, exc)
            return
        super()._deliver(message, queue)


def drop(message: Any, queue: str | None, problem: Exception) -> None:
    """Say that something was dropped from a queue."""
    excerpt = repr(message)[:_LONGEST_EXCERPT]
    logger.error("dropped from queue %s: no message (%r): %s", queue, problem, excerpt)
