"""How many messages wait in the broker's queues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery import Celery

CONNECT_SECONDS = 2


def queue_lengths(app: Celery, queues: Iterable[str]) -> dict[str, int]:
    """The number of messages in each queue that no worker has taken; 0 for one that is not there.

    Raises:
        kombu.exceptions.OperationalError: the broker does not answer.
    """
    with app.connection_for_read(connect_timeout=CONNECT_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
        return {queue: _length(connection, queue) for queue in queues}


def _length(connection: Any, queue: str) -> int:
    # A channel for each: RabbitMQ closes the one on which an unknown queue was asked for.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0
