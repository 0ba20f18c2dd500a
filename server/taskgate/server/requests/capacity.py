"""How many tasks may wait in a queue, so that a backlog is refused before it is an outage."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from taskgate.server.errors import QueueFull
from taskgate.server.records import Records
from taskgate.store import outbox
from taskgate.store.record import NewTask

COUNT_SECONDS = 1.0
"""How long a count serves; what this server admits meanwhile is added to it."""

LOAD = 0.05
"""The share of the time that counting may take: long queues are counted more rarely."""


@dataclass(slots=True)
class _Count:
    waiting: int = 0
    old_at: float = float("-inf")
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)


class Capacity:
    """Lets tasks into queues that are not full.

    Several servers count for themselves, so together they may let a second's worth too many in.
    """

    def __init__(self, records: Records, most: int) -> None:
        """``most``: how many tasks may wait in each queue, delayed ones too; any number if 0."""
        self._records = records
        self._most = most
        self._counts: dict[str, _Count] = {}

    async def admit(self, new: NewTask) -> None:
        """Let one more task into its queue.

        Raises:
            QueueFull: as many as may wait are waiting.
            StoreUnavailable: the database does not answer.
        """
        if not self._most:
            return
        count = self._counts.setdefault(new.queue, _Count())
        async with count.counting:
            if time.monotonic() >= count.old_at:
                await self._count(new.queue, count)
        if count.waiting >= self._most:
            raise QueueFull(new.queue, self._most)
        count.waiting += 1

    def release(self, queue: str) -> None:
        """Take an admitted task back out of the count: nothing new was recorded for it."""
        if queue in self._counts:
            self._counts[queue].waiting -= 1

    async def _count(self, queue: str, count: _Count) -> None:
        begun_at = time.monotonic()
        count.waiting = await self._records.read(lambda tx: outbox.count(tx, queue, self._most))
        took = time.monotonic() - begun_at
        count.old_at = time.monotonic() + max(COUNT_SECONDS, took / LOAD)
