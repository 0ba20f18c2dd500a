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


UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What decoding raises of things that no producer would send: JSON's, and kombu's for its types."""


class CarefulTransport(virtual.Transport):
    """Drops what is no envelope before anything else sees it."""

    deliveries = 0
    """How many messages were read so far; an error after that is not of their reading."""

    def _deliver(self, message: Any, queue: str | None) -> None:
        self.deliveries += 1
        try:
            [channel, *_] = self.channels or []
            _check_delivery(channel.Message(message, channel=channel))
        except UNREADABLE as exc:
            drop(message, queue, exc)
            return
        super()._deliver(message, queue)


def _check_delivery(message: Any) -> None:
    """Whether a transport can keep the message until it is acknowledged, and put it back.

    Raises:
        LookupError, TypeError, ValueError: it cannot.
    """
    delivery = message.delivery_info
    if not all(isinstance(delivery[name], str) for name in ("exchange", "routing_key")):
        raise ValueError(f"delivery_info={delivery!r:.100}")
    if not isinstance(message.delivery_tag, str):
        raise TypeError(f"delivery_tag={message.delivery_tag!r:.40}")


def drop(message: Any, queue: str | None, problem: Exception) -> None:
    """Say that something was dropped from a queue."""
    excerpt = repr(message)[:_LONGEST_EXCERPT]
    logger.error("dropped from queue %s: no message (%r): %s", queue, problem, excerpt)
