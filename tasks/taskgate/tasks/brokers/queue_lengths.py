"""How many messages wait in the broker's queues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from celery import Celery

from taskgate.tasks.brokers import connecting
from taskgate.tasks.brokers.connecting import BrokerUnavailable


def queue_lengths(app: Celery, queues: Iterable[str]) -> dict[str, int]:
    """The number of messages in each queue that no worker has taken; 0 for one that is not there.

    Takes a few seconds at most, also while the broker is down or frozen.

    Raises:
        BrokerUnavailable: the broker does not answer.
    """
    try:
        connection = connecting.connect(app)
        try:
            lengths = {queue: _length(connection, queue) for queue in queues}
            connection.close()
        except BaseException:
            connecting.let_go(connection)
            raise
    except connecting.errors(app) as exc:
        raise BrokerUnavailable(f"the broker does not answer: {exc!r}") from exc
    return lengths


def _length(connection: Any, queue: str) -> int:
    # A channel for each: RabbitMQ closes the one on which an unknown queue was asked for.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0
