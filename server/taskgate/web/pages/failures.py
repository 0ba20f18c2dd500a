"""Failures, grouped: which task types fail, of what, how often, since when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from taskgate.server.callers import Caller
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.web import formats, plots
from taskgate.web.pages.tasks import PERIODS
from taskgate.web.security import Refused
from taskgate.web.visit import Visit

READ = 1_000
"""So many of the newest tasks that failed are looked at: one page of List."""

FRESH_SECONDS = 5.0
SLOTS = 60
"""Of the lines over time."""

KEPT = 32
"""Readings, of callers and periods; the oldest goes."""


@dataclass(frozen=True, slots=True)
class Group:
    """What failed alike."""

    task_type: str
    error: str
    tasks: Sequence[task_pb2.Task]
    """The newest first."""

    @property
    def messages(self) -> list[tuple[str, int]]:
        """What the errors said, the most frequent first; a few of them."""
        counted: dict[str, int] = {}
        for task in self.tasks:
            counted[task.error.message] = counted.get(task.error.message, 0) + 1
        return sorted(counted.items(), key=lambda one: -one[1])[:3]


class FailuresPage:
    """The page. A reading serves all who look within some seconds."""

    def __init__(self) -> None:
        self._readings: dict[tuple[Caller, str], tuple[float, Sequence[task_pb2.Task]]] = {}
        self._lock = asyncio.Lock()

    async def page(self, visit: Visit) -> Response:
        """The groups, the largest first."""
        since = visit.query.get("since", "24h")
        if since not in PERIODS:
            raise Refused(400, f"since: {since!r} is none of {', '.join(PERIODS)}")
        tasks = await self._recent(visit, since)
        now = datetime.now(UTC)
        begin = now - PERIODS[since][1]
        if len(tasks) == READ:
            begin = formats.moment(tasks[-1].create_time)
        groups = [
            (group, _line(group.tasks, begin, now))
            for group in sorted(grouped(tasks), key=lambda one: -len(one.tasks))
        ]
        return visit.page(
            "failures.html",
            groups=groups,
            total=len(tasks),
            cut=len(tasks) == READ,
            since=since,
            periods=PERIODS,
            begin=begin,
        )

    async def _recent(self, visit: Visit, since: str) -> Sequence[task_pb2.Task]:
        key = visit.caller, since
        async with self._lock:
            read_at, tasks = self._readings.get(key, (float("-inf"), ()))
            if time.monotonic() - read_at < FRESH_SECONDS:
                return tasks
            request = task_service_pb2.ListRequest(
                states=[task_pb2.TASK_STATE_FAILED], page_size=READ
            )
            request.create_time_from.FromDatetime(datetime.now(UTC) - PERIODS[since][1])
            tasks = (await visit.calls.tasks(request)).tasks
            self._readings.pop(key, None)
            self._readings[key] = time.monotonic(), tasks
            if len(self._readings) > KEPT:
                del self._readings[next(iter(self._readings))]
            return tasks


def grouped(tasks: Sequence[task_pb2.Task]) -> list[Group]:
    """The tasks by type and error."""
    found: dict[tuple[str, str], list[task_pb2.Task]] = {}
    for task in tasks:
        error = task.error.type or formats.error_reason(task.error.reason)
        found.setdefault((task.task_type, error), []).append(task)
    return [Group(*key, tasks) for key, tasks in found.items()]


def _line(tasks: Sequence[task_pb2.Task], begin: datetime, end: datetime) -> str:
    """How many failed over time."""
    counts = [0] * SLOTS
    slot = max((end - begin) / SLOTS, timedelta(microseconds=1))
    for task in tasks:
        at = int((formats.moment(task.create_time) - begin) / slot)
        counts[min(max(at, 0), SLOTS - 1)] += 1
    return plots.sparkline(counts, SLOTS, "failures over time")
