"""Long polls: waiting for a task's end, as long as the caller and the server allow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from taskgate.server.api.errors import ShuttingDown
from taskgate.server.background.watcher import Watcher
from taskgate.server.records import Records
from taskgate.store import queries
from taskgate.store.record import Task

MARGIN_SECONDS = 0.25
"""An answer on the last moment would come too late: a deadline is met by as much before it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waits for tasks to become final."""

    records: Records
    watcher: Watcher
    most_seconds: float

    async def final_task(self, task_id: str, wait: float, time_remaining: float | None) -> Task:
        """The task once it is final, or as it is when the time is over or the server shuts down.

        ``wait``: seconds that the caller wants to wait; ``time_remaining``: seconds until the
        call's deadline, None if it has none.

        Raises:
            TaskNotFound: there is no such record.
            StoreUnavailable: the database does not answer.
        """
        seconds = min(wait, self.most_seconds)
        if time_remaining is not None:
            seconds = min(seconds, time_remaining - min(MARGIN_SECONDS, time_remaining / 10))
        task = await self._watch(task_id, seconds) if seconds > 0 else None
        if task is None or (self.watcher.is_cut_off and not task.is_final):
            return await self.records.read(lambda tx: queries.get(tx, task_id))
        return task

    async def _watch(self, task_id: str, seconds: float) -> Task | None:
        """The newest state seen before the time is over; None if there was none."""
        task = None
        try:
            with self.watcher.watch({task_id: 0}) as subscription:
                async with asyncio.timeout(seconds):
                    while task is None or not task.is_final:
                        task = await subscription.change()
        except (TimeoutError, ShuttingDown):
            return task
        return task
