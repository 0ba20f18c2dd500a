"""Schedules: what submits a task again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskgate.client.retry_policy import RetryPolicy
from taskgate.client.submission import Submission
from taskgate.client.task import (
    State,
    TaskError,
    arguments_from_message,
    error_from_message,
    state_from_message,
)
from taskgate.client.unique import Unique
from taskgate.client.values import from_duration, from_timestamp, to_duration
from taskgate.v1 import schedules_pb2


class OverlapPolicy(StrEnum):
    """What a tick does while a task of the schedule has not ended."""

    UNSPECIFIED = "UNSPECIFIED"
    """One that this version of the client does not know."""
    SKIP = "SKIP"
    ALLOW = "ALLOW"
    ABORT_RUNNING = "ABORT_RUNNING"


class MissedTicksPolicy(StrEnum):
    """What is made up for of ticks that nobody was there to fire."""

    UNSPECIFIED = "UNSPECIFIED"
    """One that this version of the client does not know."""
    SKIP = "SKIP"
    RUN_ONE = "RUN_ONE"
    RUN_ALL = "RUN_ALL"


class TickOutcome(StrEnum):
    """What became of a tick."""

    UNSPECIFIED = "UNSPECIFIED"
    """One that this version of the client does not know."""
    SUBMITTED = "SUBMITTED"
    SKIPPED = "SKIPPED"
    MISSED = "MISSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class SchedulePause:
    """Why a schedule does not tick."""

    pause_time: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A time at which a schedule submits a task."""

    tick_time: datetime
    """By the schedule."""
    fire_time: datetime
    outcome: TickOutcome
    message: str
    """Why it submitted nothing."""
    task_id: str
    """The last task that the schedule's ticks submitted."""
    task_state: State
    """Of that task; UNSPECIFIED if its record was deleted."""
    task_error: TaskError | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Submits a task at each of its ticks."""

    id: str
    cron: str
    """Empty if its ticks are an interval apart."""
    interval: float | None
    """Seconds."""
    time_zone: str
    task: Submission
    """What each tick submits."""
    overlap_policy: OverlapPolicy
    missed_ticks_policy: MissedTicksPolicy
    max_missed_ticks: int
    description: str
    pause: SchedulePause | None
    create_time: datetime
    update_time: datetime
    created_by: str
    next_times: tuple[datetime, ...]
    last_tick: Tick | None
    tick_counts: Mapping[str, int]
    """How many there were: ``submitted``, ``skipped``, ``missed``, ``failed``."""


def schedule_message(values: Mapping[str, Any]) -> schedules_pb2.Schedule:
    """The message that has these fields of a ``Schedule``, apart from those that are None.

    Raises:
        TypeError: an argument of the task has no JSON form.
    """
    given = {name: value for name, value in values.items() if value is not None}
    message = schedules_pb2.Schedule()
    if "task" in given:
        message.task.CopyFrom(_template(given.pop("task")))
    if "interval" in given:
        given["interval"] = to_duration(given["interval"])
    for name, enum in (
        ("overlap_policy", schedules_pb2.OverlapPolicy),
        ("missed_ticks_policy", schedules_pb2.MissedTicksPolicy),
    ):
        if name in given:
            given[name] = enum.Value(f"{name.upper()}_{given[name]}")
    message.MergeFrom(schedules_pb2.Schedule(**given))
    return message


def schedule_from_message(message: schedules_pb2.Schedule) -> Schedule:
    """The only place where a message becomes a Schedule."""
    pause = message.pause
    counts = message.tick_counts
    return Schedule(
        id=message.id,
        cron=message.cron,
        interval=from_duration(message.interval) if message.HasField("interval") else None,
        time_zone=message.time_zone,
        task=_submission(message.task),
        overlap_policy=OverlapPolicy(
            _word(schedules_pb2.OverlapPolicy, "OVERLAP_POLICY", message.overlap_policy)
        ),
        missed_ticks_policy=MissedTicksPolicy(
            _word(
                schedules_pb2.MissedTicksPolicy,
                "MISSED_TICKS_POLICY",
                message.missed_ticks_policy,
            )
        ),
        max_missed_ticks=message.max_missed_ticks,
        description=message.description,
        pause=(
            SchedulePause(from_timestamp(pause.pause_time), pause.by, pause.reason)
            if message.HasField("pause")
            else None
        ),
        create_time=from_timestamp(message.create_time),
        update_time=from_timestamp(message.update_time),
        created_by=message.created_by,
        next_times=tuple(map(from_timestamp, message.next_times)),
        last_tick=_tick(message.last_tick) if message.HasField("last_tick") else None,
        tick_counts={
            "submitted": counts.submitted,
            "skipped": counts.skipped,
            "missed": counts.missed,
            "failed": counts.failed,
        },
    )


def _tick(message: schedules_pb2.Tick) -> Tick:
    error = message.task_error
    return Tick(
        tick_time=from_timestamp(message.tick_time),
        fire_time=from_timestamp(message.fire_time),
        outcome=TickOutcome(_word(schedules_pb2.TickOutcome, "TICK_OUTCOME", message.outcome)),
        message=message.message,
        task_id=message.task_id,
        task_state=state_from_message(message.task_state),
        task_error=error_from_message(error) if message.HasField("task_error") else None,
    )


def _template(task: Submission) -> schedules_pb2.TaskTemplate:
    """A submission has the fields of a template, and their numbers."""
    request = task.message()
    for name in ("schedule_time", "delay", "request_id", "expire_time"):
        request.ClearField(name)
    template = schedules_pb2.TaskTemplate.FromString(request.SerializeToString())
    template.DiscardUnknownFields()
    return template


def _submission(message: schedules_pb2.TaskTemplate) -> Submission:
    args, kwargs = arguments_from_message(message)
    return Submission(
        message.task_type,
        args,
        kwargs,
        queue=message.queue,
        priority=message.priority if message.HasField("priority") else None,
        ttl=from_duration(message.ttl) if message.HasField("ttl") else None,
        run_timeout=from_duration(message.run_timeout) if message.HasField("run_timeout") else None,
        retry_policy=(
            RetryPolicy.of(message.retry_policy) if message.HasField("retry_policy") else None
        ),
        labels=dict(message.labels),
        unique=Unique.of(message.unique) if message.HasField("unique") else None,
        request_id="",
    )


def _word(enum: Any, prefix: str, number: int) -> str:
    known = number in enum.values()
    return enum.Name(number).removeprefix(f"{prefix}_") if known else "UNSPECIFIED"
