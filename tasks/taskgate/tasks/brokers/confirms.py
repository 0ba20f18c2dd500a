"""RabbitMQ's publisher confirms, awaited once for a whole batch."""

from __future__ import annotations

import time
from typing import Any

from amqp.exceptions import MessageNacked


class Confirms:
    """Counts what a channel published and what the broker confirmed."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._published = 0
        self._open: set[int] = set()
        self._refused = False
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)

    def expect_one(self) -> None:
        """Another message is about to be published."""
        self._published += 1
        self._open.add(self._published)

    def wait(self, deadline: float) -> None:
        """Wait until everything is confirmed.

        Raises:
            TimeoutError: not by the deadline (``time.monotonic()``).
            MessageNacked: the broker refused a message.
        """
        while self._open and not self._refused:
            self._channel.connection.drain_events(timeout=max(deadline - time.monotonic(), 0.001))
        if self._refused:
            raise MessageNacked(f"the broker refused {len(self._open)} messages")

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {tag for tag in self._open if tag > delivery_tag}
        else:
            self._open.discard(delivery_tag)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        del delivery_tag, multiple  # the whole batch is published again
        self._refused = True
