"""The overview: what is going on now, and how it went during the last half hour."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from taskgate.server.api.service import TaskService
from taskgate.server.callers import ANYONE
from taskgate.store.errors import StoreUnavailable
from taskgate.v1 import stats_pb2, task_service_pb2
from taskgate.web import formats, plots
from taskgate.web.calls import Calls
from taskgate.web.live import Streams, swap
from taskgate.web.visit import Visit

logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 20.0
SAMPLES = 90
"""Half an hour."""

REFRESH_SECONDS = 2.0

SHOWN = 100
"""Queues and task types on the page; those with most to do come first."""

Stats = task_service_pb2.GetStatsResponse
Measure = Callable[[stats_pb2.Activity], float]

MEASURES: Mapping[str, Measure] = {
    "waiting": lambda activity: activity.queued,
    "running": lambda activity: activity.running + activity.aborting,
    "submits": lambda activity: activity.last_minute.submits,
    "starts": lambda activity: activity.last_minute.starts,
    "ends": lambda activity: ends(activity.last_minute),
    "failures": lambda activity: activity.last_minute.failures,
}
"""What has a line over time."""


def ends(rates: stats_pb2.Rates) -> int:
    """How many tasks ended within the minute, however they did."""
    return rates.successes + rates.failures + rates.aborts + rates.expiries


class History:
    """What the last readings said, in all and of each queue."""

    def __init__(self) -> None:
        self._samples: deque[Mapping[str, stats_pb2.Activity]] = deque(maxlen=SAMPLES)

    def add(self, stats: Stats) -> None:
        """Keep what a reading says."""
        shown = {queue.name: queue.activity for queue in stats.queues[:SHOWN]}
        self._samples.append({**shown, "": stats.activity})

    def line(self, measure: str, label: str, queue: str = "") -> Markup:
        """A sparkline of one measure; ``queue``: all tasks if empty."""
        nothing = stats_pb2.Activity()
        values = [MEASURES[measure](one.get(queue, nothing)) for one in self._samples]
        return plots.sparkline(values, SAMPLES, f"{label}, the last half hour")


class OverviewPages:
    """The page, and what keeps it up to date. One reading serves all who look."""

    def __init__(self, service: TaskService, streams: Streams) -> None:
        self._calls = Calls(service, ANYONE)
        self._streams = streams
        self._history = History()
        self._sampling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to remember."""
        self._sampling = asyncio.create_task(self._sample(), name="taskgate-web-history")

    async def close(self) -> None:
        """End it."""
        if self._sampling is not None:
            self._sampling.cancel()
            await asyncio.wait([self._sampling])

    async def page(self, visit: Visit) -> Response:
        """What is going on."""
        return visit.page("overview.html", **self._values(visit, await visit.calls.stats()))

    async def live(self, visit: Visit) -> Response:
        """The same again, whenever it is another."""
        return self._streams.answer(self._changes(visit))

    async def _changes(self, visit: Visit) -> AsyncGenerator[str]:
        stats, shown = Stats(), ""
        while True:
            problem = ""
            try:
                stats = await visit.calls.stats()
            except StoreUnavailable as exc:
                problem = str(exc)
            values = {**self._values(visit, stats), "problem": problem}
            html = visit.templates.render("overview_now.html", values)
            if html != shown:
                yield swap(html)
                shown = html
            if not await self._streams.rest(REFRESH_SECONDS):
                return

    def _values(self, visit: Visit, stats: Stats) -> dict[str, Any]:
        return {
            "stats": stats,
            "activity": stats.activity,
            "queues": stats.queues[:SHOWN],
            "types": stats.types[:SHOWN],
            "read_at": formats.moment(stats.read_time),
            "ends": ends,
            "may_pause": visit.calls.may("Pause"),
            "line": self._history.line if visit.caller.sees_all else no_line,
            "problem": "",
        }

    async def _sample(self) -> None:
        while True:
            try:
                self._history.add(await self._calls.stats())
            except StoreUnavailable as exc:
                logger.debug("no sample: %s", exc)
            except Exception:
                logger.exception("the dashboard's history misses a sample")
            if not await self._streams.rest(SAMPLE_SECONDS):
                return


def no_line(_measure: str, _label: str, _queue: str = "") -> Markup:
    """For those who must not see all tasks: the history is of all."""
    return Markup("")
