"""Connections to the broker that never make their user wait long."""

from __future__ import annotations

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
