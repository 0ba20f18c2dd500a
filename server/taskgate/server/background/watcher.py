"""Gives many waiting calls what changes, with one poll of the record for all of them.

A tick reads the versions of all watched tasks in one query, and then only the tasks whose version
is new to someone. What someone has just begun to watch is read at once, alone. Nobody waits:
nothing is read. A slow reader finds the newest state of each task when it comes back, never a queue
of old ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from taskgate.server.errors import ShuttingDown
from taskgate.server.records import Records
from taskgate.store import queries
from taskgate.store.errors import StoreUnavailable, TaskNotFound
from taskgate.store.record import Task

logger = logging.getLogger(__name__)

SHORTEST_TICK = 0.03
LONGEST_TICK = 0.5
"""Seconds between two polls."""

LOAD = 0.2
"""The share of the time that polling may take."""

OUTAGE_TICK = 1.0


class Subscription:
    """Tasks that one call watches, and what is new about them."""

    def __init__(self, seen: Mapping[str, int]) -> None:
        """``seen``: the newest version that the call knows of each task, 0 for none."""
        self.seen = dict(seen)
        self._news: dict[str, Task] = {}
        self._error: Exception | None = None
        self._arrived = asyncio.Event()

    async def change(self) -> Task:
        """The newest state of a task of which something is new; waits until there is one.

        One at a time: what changes while a slow reader takes it comes as it is by then.

        Raises:
            TaskNotFound: one of the tasks has no record, or no longer one.
            ShuttingDown: the server is going.
        """
        await self._arrived.wait()
        if self._error is not None:
            raise self._error
        task = self._news.pop(next(iter(self._news)))
        if not self._news:
            self._arrived.clear()
        return task

    def deliver(self, task: Task) -> None:
        """Take a task's newer state."""
        if task.version > self.seen[task.id]:
            self.seen[task.id] = task.version
            self._news[task.id] = task
            self._arrived.set()

    def fail(self, error: Exception) -> None:
        """End the watch."""
        self._error = error
        self._arrived.set()


class Watcher:
    """One poller for all subscriptions of a server."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._watching: dict[str, set[Subscription]] = {}
        self._urgent: set[str] = set()
        self._poll_at = 0.0
        self._woken = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._closed = False
        self._is_cut_off = False

    @property
    def is_cut_off(self) -> bool:
        """The last poll failed: what the subscriptions know may be old."""
        return self._is_cut_off

    @property
    def is_broken(self) -> bool:
        """It has ended, though nobody closed it."""
        return not self._closed and self._poller is not None and self._poller.done()

    def start(self) -> None:
        """Start polling, whenever there is someone to poll for."""
        self._poller = asyncio.create_task(self._run(), name="taskgate-watcher")

    async def close(self) -> None:
        """End every watch, and the polling."""
        self._closed = True
        for subscription in set().union(*self._watching.values()):
            subscription.fail(ShuttingDown())
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait([self._poller])

    @contextmanager
    def watch(self, seen: Mapping[str, int]) -> Iterator[Subscription]:
        """Watch tasks, of which the versions given have been seen.

        Raises:
            ShuttingDown: the server is going.
        """
        if self._closed:
            raise ShuttingDown
        subscription = Subscription(seen)
        task_ids = list(seen)
        for task_id in task_ids:
            self._watching.setdefault(task_id, set()).add(subscription)
        self._urgent.update(task_ids)
        self._woken.set()
        try:
            yield subscription
        finally:
            for task_id in task_ids:
                self._leave(task_id, subscription)

    def wake(self, task_id: str) -> None:
        """Look at a task now: this server has just changed it."""
        if task_id in self._watching:
            self._urgent.add(task_id)
            self._woken.set()

    def _leave(self, task_id: str, subscription: Subscription) -> None:
        subscriptions = self._watching.get(task_id, set())
        subscriptions.discard(subscription)
        if not subscriptions:
            self._watching.pop(task_id, None)

    async def _run(self) -> None:
        while True:
            if not self._watching:
                await self._woken.wait()
                self._poll_at = time.monotonic() + SHORTEST_TICK
            self._woken.clear()
            try:
                await self._poll_urgent()
                if time.monotonic() >= self._poll_at:
                    await self._poll_all()
            except StoreUnavailable as exc:
                self._cut_off(exc)
            except Exception:
                logger.exception("the watcher failed; it goes on")
                self._poll_at = time.monotonic() + OUTAGE_TICK
            await self._rest(self._poll_at - time.monotonic())

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _poll_urgent(self) -> None:
        """Look at what someone has begun to watch, and what this server has changed."""
        if self._urgent:
            urgent, self._urgent = self._urgent, set()
            await self._poll(urgent & self._watching.keys())

    async def _poll_all(self) -> None:
        begun_at = time.monotonic()
        await self._poll(self._watching)
        ended_at = time.monotonic()
        pause = (ended_at - begun_at) * (1 - LOAD) / LOAD
        self._poll_at = ended_at + min(max(SHORTEST_TICK, pause), LONGEST_TICK)

    async def _poll(self, task_ids: Iterable[str]) -> None:
        """Give everyone what is new of these tasks."""
        seen = {
            task_id: min(subscription.seen[task_id] for subscription in self._watching[task_id])
            for task_id in task_ids
        }
        if not seen:
            return
        newer, missing = await self._records.read(lambda tx: _changes(tx, seen))
        self._is_cut_off = False
        for task in newer:
            self._deliver(task)
        for task_id in missing:
            for subscription in list(self._watching.get(task_id, ())):
                subscription.fail(TaskNotFound(task_id))
                self._leave(task_id, subscription)

    def _deliver(self, task: Task) -> None:
        for subscription in list(self._watching.get(task.id, ())):
            subscription.deliver(task)
            if task.is_final:
                self._leave(task.id, subscription)

    def _cut_off(self, error: StoreUnavailable) -> None:
        if not self._is_cut_off:
            logger.warning("%d watched tasks wait: %s", len(self._watching), error)
        self._is_cut_off = True
        self._poll_at = time.monotonic() + OUTAGE_TICK


def _changes(tx: Connection, seen: Mapping[str, int]) -> tuple[list[Task], list[str]]:
    """The tasks with newer versions than those seen, and the ids that have no record."""
    newer = queries.newer(tx, seen)
    changed = queries.get_many(tx, [task_id for task_id, version in newer.items() if version])
    missing = [task_id for task_id, version in newer.items() if version is None]
    return list(changed.values()), missing
