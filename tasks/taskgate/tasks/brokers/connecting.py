"""Connections to the broker that never make their user wait long, and what brokers differ in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery import Celery
from kombu import Connection
from kombu.exceptions import (  # type: ignore[attr-defined]  # newer than its stubs
    BatchPublishError,
    OperationalError,
)

CONNECT_SECONDS = 2.0
"""How long to wait for the broker to take a connection."""

ANSWER_SECONDS = 3.0
"""How long to wait for each of the broker's answers."""

HIGHEST = 9
MIDDLE = 4
"""Priorities are 0 to 9 and 9 first, whatever the broker's own order is."""


class BrokerUnavailable(Exception):
    """The broker does not answer."""


def errors(app: Celery) -> tuple[type[BaseException], ...]:
    """What it may mean that the broker does not answer."""
    with app.connection_for_write() as unconnected:
        transport = unconnected.transport
        return (
            *transport.connection_errors,
            *transport.channel_errors,
            BatchPublishError,
            OperationalError,
            OSError,
        )


def connect(app: Celery) -> Connection:
    """A new connection, on which nothing waits for longer than a few seconds.

    Raises:
        one of ``errors(app)``: the broker does not answer.
    """
    options: dict[str, Any] = {}
    connection = app.connection_for_write(connect_timeout=CONNECT_SECONDS)
    match connection.transport.driver_type:
        case "redis":
            options = {
                "socket_timeout": ANSWER_SECONDS,
                "socket_connect_timeout": CONNECT_SECONDS,
                "retry_on_timeout": False,
            }
        case "amqp":
            # One confirm a batch instead of kombu's one a message: see Confirms.
            options = {
                "confirm_publish": False,
                "read_timeout": ANSWER_SECONDS,
                "write_timeout": ANSWER_SECONDS,
            }
    connection.transport_options = {**(connection.transport_options or {}), **options}
    connection.connect()
    return connection


def let_go(connection: Connection) -> None:
    """Let go of a connection without a word to the broker, which may be frozen."""
    connection.collect(socket_timeout=CONNECT_SECONDS)


def queue_lengths(app: Celery, queues: Iterable[str]) -> dict[str, int]:
    """The number of messages in each queue that no worker has taken; 0 for one that is not there.

    Takes a few seconds at most, also while the broker is down or frozen.

    Raises:
        BrokerUnavailable: the broker does not answer.
    """
    try:
        connection = connect(app)
        try:
            lengths = {queue: _length(connection, queue) for queue in queues}
            connection.close()
        except BaseException:
            let_go(connection)
            raise
    except errors(app) as exc:
        raise BrokerUnavailable(f"the broker does not answer: {exc!r}") from exc
    return lengths


def _length(connection: Any, queue: str) -> int:
    # A channel for each: RabbitMQ closes the one on which an unknown queue was asked for.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0


def zero_goes_first(app: Celery) -> bool:
    """Whether the app's broker counts priorities the other way round, as Redis does."""
    return is_redis(str(app.conf.broker_url or ""))


def is_redis(broker_url: str) -> bool:
    """Whether the broker is Redis."""
    return broker_url.startswith(("redis", "sentinel"))


def to_broker(priority: int, *, zero_first: bool) -> int:
    """The broker's number for our priority."""
    return HIGHEST - priority if zero_first else priority


def from_broker(priority: int | None, *, zero_first: bool) -> int:
    """Our priority for the broker's number; the middle for none."""
    if priority is None:
        return MIDDLE
    return to_broker(min(max(priority, 0), HIGHEST), zero_first=zero_first)
