"""What is going on on a server: counts, ages and rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from taskgate.client.pauses import Pause, pause_from_message
from taskgate.client.task import State
from taskgate.client.values import from_duration, from_timestamp
from taskgate.v1 import stats_pb2, task_pb2, task_service_pb2


@dataclass(frozen=True, slots=True)
class Rates:
    """How often it happened within the last minute."""

    submits: int
    starts: int
    successes: int
    failures: int
    aborts: int
    expiries: int


@dataclass(frozen=True, slots=True)
class Activity:
    """What tasks that have not ended do, and what happened within the last minute."""

    scheduled: int
    queued: int
    running: int
    retrying: int
    aborting: int
    oldest_age: float | None
    """Seconds that the one that has waited longest of those QUEUED has been due; None without."""
    last_minute: Rates


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue."""

    name: str
    activity: Activity
    worker_count: int
    """Living workers that take tasks from it."""
    slots: int
    """How many tasks these run at once, those of their other queues included."""
    pause: Pause | None
    """Why nothing new of it starts; None unless it is paused."""


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many tasks are in a state."""

    tasks: int
    estimated: bool
    """Only final states of large records are."""


@dataclass(frozen=True, slots=True)
class Stats:
    """What is going on."""

    read_time: datetime
    activity: Activity
    """What all tasks do."""
    states: Mapping[State, StateCount]
    queues: tuple[Queue, ...]
    types: Mapping[str, Activity]
    """What the tasks of each type do."""
    worker_count: int
    slots: int


def stats_from_message(message: task_service_pb2.GetStatsResponse) -> Stats:
    """The only place where a message becomes Stats."""
    return Stats(
        read_time=from_timestamp(message.read_time),
        activity=_activity(message.activity),
        states={
            State(task_pb2.TaskState.Name(one.state).removeprefix("TASK_STATE_")): StateCount(
                one.tasks, one.estimated
            )
            for one in message.states
            if one.state in task_pb2.TaskState.values()
        },
        queues=tuple(map(queue_from_message, message.queues)),
        types={one.task_type: _activity(one.activity) for one in message.types},
        worker_count=message.worker_count,
        slots=message.slots,
    )


def queue_from_message(message: stats_pb2.Queue) -> Queue:
    """The only place where a message becomes a Queue."""
    return Queue(
        name=message.name,
        activity=_activity(message.activity),
        worker_count=message.worker_count,
        slots=message.slots,
        pause=pause_from_message(message.pause) if message.HasField("pause") else None,
    )


def _activity(message: stats_pb2.Activity) -> Activity:
    rates = message.last_minute
    return Activity(
        scheduled=message.scheduled,
        queued=message.queued,
        running=message.running,
        retrying=message.retrying,
        aborting=message.aborting,
        oldest_age=from_duration(message.oldest_age) if message.HasField("oldest_age") else None,
        last_minute=Rates(
            submits=rates.submits,
            starts=rates.starts,
            successes=rates.successes,
            failures=rates.failures,
            aborts=rates.aborts,
            expiries=rates.expiries,
        ),
    )
