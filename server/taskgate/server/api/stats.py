"""GetStats and ListQueues: what is going on."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

from taskgate.server.api.lists import (
    DEFAULT_PAGE_SIZE,
    MAX_PAGE_SIZE,
    PageTokens,
    page_size,
)
from taskgate.server.api.overview import Overview, Reading, slots
from taskgate.server.callers import Caller
from taskgate.server.errors import Violations
from taskgate.server.messages.pauses import pause_message
from taskgate.server.messages.stats import activity_message, state_messages, type_message
from taskgate.server.messages.values import timestamp
from taskgate.server.requests import fields
from taskgate.server.requests.filters import MAX_VALUES
from taskgate.server.text import printable
from taskgate.store.lifecycle import State
from taskgate.store.pauses import Kind, Target
from taskgate.store.stats import Activity
from taskgate.v1 import stats_pb2, task_service_pb2


@dataclass(frozen=True, slots=True)
class Stats:
    """Says what is going on."""

    overview: Overview

    async def get(
        self, request: task_service_pb2.GetStatsRequest, caller: Caller
    ) -> task_service_pb2.GetStatsResponse:
        """Counts, ages and rates.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        _check(request)
        reading = (await self.overview.recent()).seen_by(caller)
        by_queue, total = reading.by_queue(), reading.total
        names = request.queues or _largest(by_queue)
        by_type = reading.by_type()
        return task_service_pb2.GetStatsResponse(
            read_time=timestamp(reading.read_at),
            activity=activity_message(total, reading.read_at),
            states=state_messages(total, reading.final),
            queues=[_queue(name, by_queue.get(name), reading) for name in names],
            types=[
                type_message(name, by_type[name], reading.read_at) for name in _largest(by_type)
            ],
            worker_count=len(reading.workers),
            slots=slots(reading.workers),
        )

    async def queues(
        self, request: task_service_pb2.ListQueuesRequest, caller: Caller
    ) -> task_service_pb2.ListQueuesResponse:
        """A page of the queues, by name.

        Raises:
            InvalidRequest: fields are wrong.
            StoreUnavailable: the database does not answer.
        """
        tokens = PageTokens.of("ListQueues")
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        after = tokens.read(request.page_token, length=1)
        reading = (await self.overview.recent()).seen_by(caller)
        by_queue = reading.by_queue()
        rest = [name for name in sorted(by_queue) if after is None or [name] > after]
        shown = rest[:size]
        return task_service_pb2.ListQueuesResponse(
            queues=[_queue(name, by_queue[name], reading) for name in shown],
            next_page_token=tokens.write([shown[-1]]) if len(rest) > len(shown) else "",
        )


def _check(request: task_service_pb2.GetStatsRequest) -> None:
    violations = Violations()
    if len(request.queues) > MAX_VALUES:
        description = f"{len(request.queues)} are too many; {MAX_VALUES} are allowed"
        violations.add("queues", description)
    for index, name in enumerate(request.queues[:MAX_VALUES]):
        if not name:
            violations.add(f"queues[{index}]", "is empty")
        fields.text(name, f"queues[{index}]", fields.MAX_NAME_LENGTH, violations)
    violations.raise_if_any()


def _largest(activities: Mapping[str, Activity]) -> list[str]:
    """The names of those with the most tasks waiting, then with the most live ones."""
    by_size = [
        (-one.live.get(State.QUEUED, 0), -one.size, name) for name, one in activities.items()
    ]
    return [name for *_, name in heapq.nsmallest(MAX_PAGE_SIZE, by_size)]


def _queue(name: str, activity: Activity | None, reading: Reading) -> stats_pb2.Queue:
    workers = reading.workers_of(name)
    pause = reading.pauses.get(Target(Kind.QUEUE, name))
    return stats_pb2.Queue(
        name=printable(name),
        activity=activity_message(activity or Activity.none(), reading.read_at),
        worker_count=len(workers),
        slots=slots(workers),
        pause=None if pause is None else pause_message(pause),
    )
