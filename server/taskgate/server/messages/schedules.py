"""Schedules as the API's messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from taskgate.server.messages.tasks import (
    enum_value,
    error_message,
    retry_policy_message,
    set_arguments,
    unique_message,
)
from taskgate.server.messages.values import duration, timestamp
from taskgate.server.text import printable
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, Task
from taskgate.store.schedules import Missed, Overlap, Schedule
from taskgate.v1 import schedules_pb2, task_pb2

_OVERLAPS = {
    Overlap.ALLOW: schedules_pb2.OVERLAP_POLICY_ALLOW,
    Overlap.ABORT: schedules_pb2.OVERLAP_POLICY_ABORT_RUNNING,
}
_MISSED = {
    Missed.NONE: schedules_pb2.MISSED_TICKS_POLICY_SKIP,
    Missed.ALL: schedules_pb2.MISSED_TICKS_POLICY_RUN_ALL,
}


def schedule_message(
    schedule: Schedule, next_times: Sequence[datetime] = (), last_task: Task | None = None
) -> schedules_pb2.Schedule:
    """Everything that is recorded about a schedule.

    ``last_task``: the task that its ticks submitted last, if its record is there.
    """
    message = schedules_pb2.Schedule(
        id=schedule.id,
        task=_template_message(schedule.task),
        overlap_policy=_OVERLAPS.get(Overlap(schedule.overlap), schedules_pb2.OVERLAP_POLICY_SKIP),
        missed_ticks_policy=_MISSED.get(
            Missed(schedule.missed), schedules_pb2.MISSED_TICKS_POLICY_RUN_ONE
        ),
        max_missed_ticks=schedule.most_missed,
        description=printable(schedule.description),
        create_time=timestamp(schedule.created_at),
        update_time=timestamp(schedule.updated_at),
        created_by=printable(schedule.created_by),
        tick_counts=schedules_pb2.TickCounts(**schedule.counts),
    )
    for time in next_times:
        message.next_times.add().FromDatetime(time)
    if schedule.timing.cron:
        message.cron = schedule.timing.cron
        message.time_zone = schedule.timing.zone
    else:
        message.interval.FromTimedelta(timedelta(seconds=schedule.timing.interval))
    if schedule.paused_at is not None:
        message.pause.pause_time.FromDatetime(schedule.paused_at)
        message.pause.by = printable(schedule.paused_by or "")
        message.pause.reason = printable(schedule.pause_reason or "")
    if schedule.last_at is not None:
        message.last_tick.CopyFrom(_tick_message(schedule, last_task))
    return message


def _tick_message(schedule: Schedule, task: Task | None) -> schedules_pb2.Tick:
    message = schedules_pb2.Tick(
        tick_time=timestamp(schedule.last_at),
        fire_time=timestamp(schedule.last_fired_at),
        outcome=enum_value(schedules_pb2.TickOutcome, "TICK_OUTCOME", schedule.last_outcome),
        message=printable(schedule.last_message or ""),
        task_id=printable(schedule.last_task_id or ""),
    )
    if task is not None:
        message.task_state = enum_value(task_pb2.TaskState, "TASK_STATE", task.state)
        if task.state is State.FAILED and task.failure is not None:
            message.task_error.CopyFrom(error_message(task.failure))
    return message


def _template_message(new: NewTask) -> schedules_pb2.TaskTemplate:
    message = schedules_pb2.TaskTemplate(
        task_type=printable(new.task_type),
        queue=printable(new.queue),
        priority=new.priority,
        labels=new.labels,
        ttl=duration(new.ttl),
        run_timeout=duration(new.run_timeout),
        retry_policy=retry_policy_message(new.retry_policy),
        unique=unique_message(new),
    )
    if new.answers_holder:
        message.unique.on_conflict = task_pb2.UNIQUE_CONFLICT_ANSWER_HOLDER
    set_arguments(message, new.arguments)
    return message
