"""Schedules: rows that submit a task at each tick, by whoever finds them due first.

Who fires ticks holds the row's lock, moves ``next_at`` and inserts the ticks' tasks in one
transaction, so a tick is fired once however many look for it, and not lost whoever dies.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, func, select, update

from taskgate.store.database import clock
from taskgate.store.database.columns import JsonDataclass, storable
from taskgate.store.errors import ScheduleExists, ScheduleNotFound
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.record import NewTask, RetryPolicy, Timing, from_row, new_task_id
from taskgate.store.tables import insert_into, schedules, state_in, tasks


class Overlap(StrEnum):
    """What a tick does while a task of the schedule has not ended."""

    SKIP = "SKIP"
    ALLOW = "ALLOW"
    ABORT = "ABORT"


class Missed(StrEnum):
    """What is made up for of ticks that nobody was there to fire."""

    NONE = "NONE"
    ONE = "ONE"
    ALL = "ALL"


class TickOutcome(StrEnum):
    """What became of a tick. In lower case: the names of ``Schedule.counts``."""

    SUBMITTED = "SUBMITTED"
    SKIPPED = "SKIPPED"
    MISSED = "MISSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """What a caller says of a schedule."""

    id: str
    timing: Timing
    template: str
    """What each tick submits: see ``to_template``."""
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.ONE
    most_missed: int = 100
    """How many ticks ``Missed.ALL`` makes up for."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The record of a schedule."""

    id: str
    revision: int
    """Raised by one with every change that a caller makes."""
    timing: Timing
    template: str
    overlap: str
    missed: str
    most_missed: int
    description: str
    created_at: datetime
    created_by: str
    updated_at: datetime
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None
    next_at: datetime | None
    """None while it is paused, and once its expression has no more ticks."""
    last_at: datetime | None
    """The time of the last tick."""
    last_fired_at: datetime | None
    last_outcome: str | None
    last_task_id: str | None
    last_message: str | None
    """Why the last tick submitted nothing."""
    counts: Mapping[str, int]
    """How many ticks there were of each outcome, in lower case."""

    @property
    def task(self) -> NewTask:
        """What each tick submits, with an id of its own."""
        return from_template(self.template, self.id, self.created_by)


@dataclass(frozen=True, slots=True)
class Ticks:
    """What became of a schedule's ticks that were due together."""

    last_at: datetime
    next_at: datetime | None
    outcome: TickOutcome
    """Of the last one."""
    counts: Mapping[TickOutcome, int]
    task_id: str | None = None
    """The last task that was submitted."""
    message: str | None = None


# What a tick submits, as text.

_DURATIONS = frozenset({"ttl", "run_timeout", "unique_ttl"})
_OF_ONE_TASK = frozenset(
    {
        *("id", "delay", "schedule_time", "expire_time", "submitted_by", "submitted_from"),
        *("trace", "schedule", "request_id", "request_digest", "retry_of", "root_id"),
    }
)
_POLICY = JsonDataclass(RetryPolicy)


def to_template(new: NewTask) -> str:
    """What tasks have in common that are submitted again and again, as JSON text."""
    values = {
        one.name: value
        for one in fields(NewTask)
        if one.name not in _OF_ONE_TASK and (value := getattr(new, one.name)) is not None
    }
    for name in _DURATIONS & values.keys():
        values[name] = values[name].total_seconds()
    if "retry_policy" in values:
        policy = values["retry_policy"]
        values["retry_policy"] = {one.name: getattr(policy, one.name) for one in fields(policy)}
    return json.dumps(values, sort_keys=True)


def from_template(text: str, schedule_id: str, by: str) -> NewTask:
    """A task of a schedule, with a new id."""
    known = {one.name for one in fields(NewTask)}
    values: dict[str, Any] = {
        name: value for name, value in json.loads(text).items() if name in known
    }
    for name in _DURATIONS & values.keys():
        values[name] = timedelta(seconds=values[name])
    if "retry_policy" in values:
        stored = json.dumps(values["retry_policy"])
        values["retry_policy"] = _POLICY.process_result_value(stored, None)  # type: ignore[arg-type]  # unused
    return NewTask(id=new_task_id(), submitted_by=by, schedule=schedule_id, **values)


# What callers change.


def create(tx: Connection, new: NewSchedule, next_at: datetime | None, by: str) -> Schedule:
    """Record a schedule; the one that is there, if it is the same.

    Raises:
        ScheduleExists: another schedule has the id.
    """
    values = {
        **_said(new),
        "id": new.id,
        "revision": 1,
        "created_at": clock.now(),
        "created_by": by,
        "updated_at": clock.now(),
        "next_at": next_at,
        "counts": {},
    }
    statement = insert_into(tx, schedules).values(values).on_conflict_do_nothing()
    is_new = tx.execute(statement.returning(schedules.c.id)).first() is not None
    found = find(tx, new.id)
    if not is_new and (_said(found), found.created_by) != (_said(new), storable(by)):
        raise ScheduleExists(new.id)
    return found


def _said(schedule: NewSchedule | Schedule) -> dict[str, Any]:
    names = (one.name for one in fields(NewSchedule) if one.name != "id")
    values = {name: getattr(schedule, name) for name in names}
    return {**values, "description": storable(values["description"])}


def find(tx: Connection, schedule_id: str, *, for_update: bool = False) -> Schedule:
    """The schedule with this id; ``for_update``: nobody changes it before this transaction ends.

    Raises:
        ScheduleNotFound: there is none.
    """
    statement = select(schedules).where(schedules.c.id == schedule_id)
    found = tx.execute(statement.with_for_update() if for_update else statement)
    row = found.mappings().one_or_none()
    if row is None:
        raise ScheduleNotFound(schedule_id)
    return _schedule(row)


def change(tx: Connection, schedule: Schedule, new: NewSchedule, next_at: datetime | None) -> None:
    """Replace what a caller said. ``schedule``: found for update."""
    _update(tx, schedule, **_said(new), next_at=next_at)


def pause(tx: Connection, schedule: Schedule, *, by: str, reason: str) -> None:
    """Have it tick no more. ``schedule``: found for update."""
    _update(tx, schedule, next_at=None, paused_at=clock.now(), paused_by=by, pause_reason=reason)


def resume(tx: Connection, schedule: Schedule, next_at: datetime | None) -> None:
    """Have it tick again, from ``next_at`` on. ``schedule``: found for update."""
    _update(tx, schedule, next_at=next_at, paused_at=None, paused_by=None, pause_reason=None)


def _update(tx: Connection, schedule: Schedule, **values: Any) -> None:
    revision = schedule.revision + 1
    tx.execute(
        update(schedules)
        .where(schedules.c.id == schedule.id)
        .values(revision=revision, updated_at=clock.now(), **values)
    )


def remove(tx: Connection, schedule_id: str) -> None:
    """Forget a schedule; its tasks stay.

    Raises:
        ScheduleNotFound: there is none.
    """
    gone = tx.execute(delete(schedules).where(schedules.c.id == schedule_id))
    if gone.rowcount == 0:
        raise ScheduleNotFound(schedule_id)


def list_after(tx: Connection, schedule_id: str, limit: int | None = None) -> list[Schedule]:
    """Schedules whose ids come after this one, in their order."""
    rows = tx.execute(
        select(schedules).where(schedules.c.id > schedule_id).order_by(schedules.c.id).limit(limit)
    )
    return list(map(_schedule, rows.mappings()))


# What ticks change.


def seconds_until_due(tx: Connection) -> float | None:
    """Until the next tick of any; 0 or less if there is one now, None if there is none."""
    seconds: float | None = tx.execute(_UNTIL_DUE).scalar_one()
    return seconds


_UNTIL_DUE: Select[Any] = select(
    clock.between(clock.now(), func.min(schedules.c.next_at, type_=schedules.c.next_at.type))
).where(schedules.c.next_at.is_not(None))


def take_due(tx: Connection, limit: int, schedule_id: str | None = None) -> list[Schedule]:
    """Schedules with a tick that is due, which nobody else fires before this transaction ends."""
    statement = (
        select(schedules)
        .where(schedules.c.next_at <= clock.now())
        .order_by(schedules.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if schedule_id is not None:
        statement = statement.where(schedules.c.id == schedule_id)
    return list(map(_schedule, tx.execute(statement).mappings()))


def live_tasks(tx: Connection, schedule_ids: Collection[str]) -> dict[str, list[str]]:
    """The tasks of schedules that have not ended, by the ids of those that have any."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    rows = tx.execute(
        select(tasks.c.schedule, tasks.c.id).where(
            tasks.c.schedule.in_(schedule_ids), state_in(frozenset(State) - FINAL)
        )
    )
    for schedule_id, task_id in rows:
        found[schedule_id].append(task_id)
    return found


def record_ticks(tx: Connection, schedule: Schedule, ticks: Ticks) -> bool:
    """Move a schedule on; False if it has been moved since it was taken."""
    counts = {name.lower(): number for name, number in ticks.counts.items() if number}
    added = {
        name: schedule.counts.get(name, 0) + counts.get(name, 0)
        for name in schedule.counts.keys() | counts.keys()
    }
    task_id = schedule.last_task_id if ticks.task_id is None else ticks.task_id
    moved = tx.execute(
        update(schedules)
        .where(schedules.c.id == schedule.id, schedules.c.next_at == schedule.next_at)
        .values(
            next_at=ticks.next_at,
            last_at=ticks.last_at,
            last_fired_at=clock.now(),
            last_outcome=ticks.outcome,
            last_task_id=task_id,
            last_message=ticks.message,
            counts=added,
        )
    )
    return moved.rowcount == 1


def request_id(schedule_id: str, tick: datetime) -> str:
    """By which a tick's task would be known, were it submitted again."""
    return f"schedule/{schedule_id}/{tick:%Y-%m-%dT%H:%M:%S.%fZ}"


def _schedule(row: RowMapping) -> Schedule:
    return from_row(Schedule, row)
