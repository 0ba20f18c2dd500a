"""Fires the ticks of schedules: in each server and each worker, without a leader.

Who finds a schedule due locks its row, submits what its ticks submit, and moves it on, in one
transaction. Others skip the row meanwhile, and whoever dies in between has done nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from sqlalchemy import Connection

from taskgate.store import schedules, submission, task_types, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable, UniqueKeyHeld
from taskgate.store.record import NewTask, Task
from taskgate.store.schedules import Missed, Overlap, Schedule, TickOutcome, Ticks
from taskgate.store.submission import Outcome
from taskgate.store.task_types import TaskType
from taskgate.tasks import timetable
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.settings import DEFAULT_QUEUE

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often a process looks for schedules that others have recorded."""

MOST_SCHEDULES = 100
"""In one transaction."""

MOST_TASKS = 1_000
"""In one transaction, and one schedule's more."""

LATE = timedelta(minutes=1)
"""A tick that is fired within as much is not missed."""

MOST_COUNTED = 10_000
"""Ticks that were missed together; how many there were before is not counted."""

BROKEN_PAUSE = timedelta(hours=1)
"""Until a schedule whose time zone is gone is looked at again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done about the ticks of a schedule that are due."""

    run: Sequence[datetime]
    """Oldest first."""
    missed: int
    last_at: datetime
    next_at: datetime | None


class Ticker:
    """Fires ticks, in a thread of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.loop = Loop("schedules", self._step)

    def _step(self) -> float:
        with self._database.read() as tx:
            until_due = schedules.seconds_until_due(tx)
        if until_due is None:
            return POLL_SECONDS
        if until_due > 0:
            return min(until_due, POLL_SECONDS)
        # Others are at what is due: what they leave is found again.
        return 0.0 if self.fire() else POLL_SECONDS / 10

    def fire(self) -> int:
        """Fire what is due and what nobody else is at, or a part of it; of how many schedules.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        taken: list[Schedule] = []
        try:
            with self._database.write() as tx:
                taken = schedules.take_due(tx, MOST_SCHEDULES)
                return _fire(tx, taken)
        except StoreUnavailable:
            raise
        except Exception as exc:
            if not taken:
                raise
            logger.warning("the ticks of %d schedules are fired one by one: %s", len(taken), exc)
            return sum(self._fire_alone(one.id) for one in taken)

    def _fire_alone(self, schedule_id: str) -> int:
        """One that cannot be fired must not hold up the others."""
        try:
            with self._database.write() as tx:
                return _fire(tx, schedules.take_due(tx, 1, schedule_id))
        except StoreUnavailable:
            raise
        except Exception as exc:
            logger.exception("a tick of schedule %s failed", schedule_id)
            with self._database.write() as tx:
                found = schedules.take_due(tx, 1, schedule_id)
                now = clock.read(tx)
                return sum(schedules.record_ticks(tx, one, _failed(one, now, exc)) for one in found)


def _fire(tx: Connection, due: Sequence[Schedule]) -> int:
    """Submit what the ticks of these submit, and move them on; how many were moved."""
    now = clock.read(tx)
    types = task_types.by_name(tx, {one.task.task_type for one in due})
    guarded = [one.id for one in due if one.overlap != Overlap.ALLOW]
    live = schedules.live_tasks(tx, guarded) if guarded else {}
    plans: list[tuple[Schedule, Plan, list[NewTask]]] = []
    number = 0
    for one in due:
        try:
            plan = plan_of(one, now)
        except ValueError as exc:
            schedules.record_ticks(tx, one, _failed(one, now, exc))
            continue
        new_tasks = _new_tasks(one, plan, live.get(one.id, ()), types)
        if number and number + len(new_tasks) > MOST_TASKS:
            break  # the others are free again with the commit
        number += len(new_tasks)
        plans.append((one, plan, new_tasks))
        if new_tasks and one.overlap == Overlap.ABORT and one.id in live:
            reason = f"the next tick of schedule {one.id} was due"
            transitions.abort_many(tx, live[one.id], by=one.created_by, reason=reason)
    outcomes = submission.submit(tx, [new for _, _, some in plans for new in some])
    answers = iter(outcomes)
    for one, plan, new_tasks in plans:
        answered = list(zip(new_tasks, islice(answers, len(new_tasks)), strict=True))
        schedules.record_ticks(tx, one, _ticks(one, plan, answered))
    return len(due)


def plan_of(schedule: Schedule, now: datetime) -> Plan:
    """Which of the ticks that are due are fired.

    Raises:
        ValueError: the schedule's expression or time zone cannot be read.
    """
    due = now if schedule.next_at is None else schedule.next_at
    behind = takewhile(lambda tick: tick >= due, timetable.backwards(schedule.timing, now))
    ticks = list(islice(behind, MOST_COUNTED)) or [due]
    in_time = [tick for tick in ticks if now - tick <= LATE]
    late = ticks[len(in_time) :]
    match schedule.missed:
        case Missed.ALL:
            made_up_for = late[: schedule.most_missed]
        case Missed.NONE:
            made_up_for = []
        case _:
            made_up_for = [] if in_time else late[:1]
    return Plan(
        run=[*in_time, *made_up_for][::-1],
        missed=len(late) - len(made_up_for),
        last_at=ticks[0],
        next_at=timetable.next_tick(schedule.timing, max(now, ticks[0])),
    )


def _new_tasks(
    schedule: Schedule, plan: Plan, live: Sequence[str], types: Mapping[str, TaskType]
) -> list[NewTask]:
    """What the ticks submit that do not overlap with others."""
    match schedule.overlap:
        case Overlap.ALLOW:
            run = plan.run
        case Overlap.ABORT:
            run = plan.run[-1:]
        case _:
            run = () if live else plan.run[-1:]
    return [_new_task(schedule, tick, types) for tick in run]


def _new_task(schedule: Schedule, tick: datetime, types: Mapping[str, TaskType]) -> NewTask:
    new = schedule.task
    known = types.get(new.task_type)
    definition = {} if known is None else known.definition
    retries = (definition.get("options") or {}).get("max_retries")
    own_attempts = None if retries is None else retries + 1
    return replace(
        new,
        queue=new.queue or definition.get("queue") or DEFAULT_QUEUE,
        max_attempts=new.max_attempts or own_attempts,
        schedule_time=tick,
        request_id=schedules.request_id(schedule.id, tick),
    )


def _ticks(schedule: Schedule, plan: Plan, answered: Sequence[tuple[NewTask, Outcome]]) -> Ticks:
    counts = Counter({TickOutcome.MISSED: plan.missed})
    counts[TickOutcome.SKIPPED] = len(plan.run) - len(answered)
    outcome, message, task_id = TickOutcome.MISSED, None, None
    if counts[TickOutcome.SKIPPED]:
        outcome, message = TickOutcome.SKIPPED, "an earlier task of the schedule had not ended"
    for new, answer in answered:
        if isinstance(answer, Task):
            # Another one is what holds the unique key, or what the tick had submitted before.
            outcome = TickOutcome.SUBMITTED if answer.id == new.id else TickOutcome.SKIPPED
            message = None if answer.id == new.id else f"task {answer.id} stands for it"
            task_id = answer.id
        else:
            is_held = isinstance(answer, UniqueKeyHeld)
            outcome = TickOutcome.SKIPPED if is_held else TickOutcome.FAILED
            message = str(answer)
        counts[outcome] += 1
    if outcome is TickOutcome.MISSED:
        message = f"{plan.missed} ticks were due while nobody was there to fire them"
        logger.warning("schedule %s missed %d ticks", schedule.id, plan.missed)
    return Ticks(plan.last_at, plan.next_at, outcome, counts, task_id, message)


def _failed(schedule: Schedule, now: datetime, error: Exception) -> Ticks:
    """A tick that could not be fired: the schedule goes on."""
    logger.warning("a tick of schedule %s failed: %s", schedule.id, error)
    due = now if schedule.next_at is None else schedule.next_at
    try:
        next_at = timetable.next_tick(schedule.timing, now)
    except ValueError:
        next_at = now + BROKEN_PAUSE
    return Ticks(due, next_at, TickOutcome.FAILED, {TickOutcome.FAILED: 1}, None, str(error))
