"""What is going on: one reading of the record, for all who ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from taskgate.server.callers import Caller
from taskgate.server.records import Records
from taskgate.server.requests.catalog import Catalog
from taskgate.store import pauses, stats, workers
from taskgate.store.database import clock
from taskgate.store.lifecycle import State
from taskgate.store.pauses import Pause, Target
from taskgate.store.stats import Activity, Count, Kind
from taskgate.store.workers import Worker

FRESH_SECONDS = 1.0
"""How long a reading serves at least."""

LOAD = 0.05
"""The share of the time that reading may take: large records are read more rarely."""

FINAL_FRESH_SECONDS = 5.0
FINAL_LOAD = 0.01
"""The same of final tasks, which may be many more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the record said at one time."""

    read_at: datetime
    """By the database's clock."""
    by_kind: Mapping[Kind, Activity]
    final: Mapping[State, Count]
    """How many ended in each way; empty if that is not known."""
    workers: tuple[Worker, ...]
    """The living ones."""
    queues: frozenset[str]
    """Those that are known, whether or not there is anything in them."""
    pauses: Mapping[Target, Pause]

    def seen_by(self, caller: Caller) -> Reading:
        """What of it exists for a caller; ``final``, which no kinds are known of, is empty then."""
        if caller.sees_all:
            return self
        return replace(
            self,
            by_kind={k: a for k, a in self.by_kind.items() if caller.sees(k.task_type, k.queue)},
            final={},
            workers=tuple(one for one in self.workers if caller.sees_worker(one)),
            queues=frozenset(filter(caller.sees_queue, self.queues)),
        )

    @property
    def total(self) -> Activity:
        """What all tasks do."""
        return _sum(self.by_kind.values())

    def by_queue(self) -> dict[str, Activity]:
        """What the tasks of each queue do, the known ones without any included."""
        found = {queue: Activity.none() for queue in self.queues}
        return {**found, **_grouped(self.by_kind, lambda kind: kind.queue)}

    def by_type(self) -> dict[str, Activity]:
        """What the tasks of each type do."""
        return _grouped(self.by_kind, lambda kind: kind.task_type)

    def workers_of(self, queue: str) -> list[Worker]:
        """The living workers that take tasks from the queue."""
        return [one for one in self.workers if queue in (one.details.get("queues") or ())]


def read(tx: Connection, queues: frozenset[str], final: Mapping[State, Count]) -> Reading:
    """What the record says now. ``queues``: those known; ``final``: as it was read last."""
    living = tuple(one for one in workers.list_all(tx) if one.is_alive)
    paused = {one.target: one for one in pauses.list_all(tx)}
    return Reading(clock.read(tx), stats.activity(tx), final, living, queues, paused)


class Overview:
    """The latest reading. However many look, the record is read once a second at most."""

    def __init__(self, records: Records, catalog: Catalog) -> None:
        self._records = records
        self._catalog = catalog
        self._reading: Reading | None = None
        self._final: Mapping[State, Count] = {}
        self._old_at = self._final_old_at = float("-inf")
        self._lock = asyncio.Lock()

    async def recent(self) -> Reading:
        """The latest reading, or a new one if that is old.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        async with self._lock:
            if self._reading is None or time.monotonic() >= self._old_at:
                self._reading = await self._read()
            return self._reading

    async def _read(self) -> Reading:
        begun_at = time.monotonic()
        if begun_at >= self._final_old_at:
            self._final = await self._records.read(stats.final_counts)
            self._final_old_at = old_at(begun_at, FINAL_FRESH_SECONDS, FINAL_LOAD)
        queues = (await self._catalog.recent()).queues
        final = self._final

        begun_at = time.monotonic()
        reading = await self._records.read(lambda tx: read(tx, queues, final))
        self._old_at = old_at(begun_at, FRESH_SECONDS, LOAD)
        return reading


def slots(workers: list[Worker] | tuple[Worker, ...]) -> int:
    """How many tasks the workers run at once."""
    return sum(int(one.details.get("concurrency") or 0) for one in workers)


def old_at(begun_at: float, fresh_seconds: float, load: float) -> float:
    """When what has just been read is old, as a monotonic time; it was begun at another one."""
    now = time.monotonic()
    return now + max(fresh_seconds, (now - begun_at) / load)


def _grouped(by_kind: Mapping[Kind, Activity], name: Callable[[Kind], str]) -> dict[str, Activity]:
    found: dict[str, Activity] = {}
    for kind, activity in by_kind.items():
        found.setdefault(name(kind), Activity.none()).add(activity)
    return found


def _sum(activities: Iterable[Activity]) -> Activity:
    total = Activity.none()
    for activity in activities:
        total.add(activity)
    return total
