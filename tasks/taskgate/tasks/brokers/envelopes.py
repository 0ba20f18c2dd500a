"""Envelopes: what kombu wraps a message in, for brokers that know none of their own.

Anyone who can write to the broker can write something else into a queue. That is dropped with a log
line; kombu would let it end the worker that takes it.
"""

from __future__ import annotations

from typing import Any

from celery.utils.log import get_logger
from kombu.transport import virtual

logger = get_logger(__name__)

_LONGEST_EXCERPT = 200


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
