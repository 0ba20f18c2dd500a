"""What is going on: counts, ages and rates. What has ended is looked at for its last minute only.

Live tasks are counted one by one, found by the index of states. Final ones may be very many: on a
large PostgreSQL the planner's own estimate is taken for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, literal_column, select

from taskgate.store.database import clock
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.tables import attempts, tasks

RECENT = timedelta(minutes=1)
"""What rates are about."""

EXACT_UP_TO = 100_000
"""Tasks on record, as PostgreSQL estimates them, up to which the final ones are counted."""

LIVE = frozenset(State) - FINAL

_SINCE = clock.in_(-RECENT)


class Kind(NamedTuple):
    """Tasks that are counted together."""

    queue: str
    task_type: str


@dataclass(slots=True)
class Activity:
    """What tasks do that have not ended, and what happened within the last minute."""

    live: dict[State, int]
    """How many are in each state that is not final."""
    ended: dict[State, int]
    """How many ended, by their final state."""
    submits: int = 0
    starts: int = 0
    oldest: datetime | None = None
    """Since when the one that is QUEUED longest has been due."""

    @classmethod
    def none(cls) -> Activity:
        """Nothing at all."""
        return cls({}, {})

    def add(self, other: Activity) -> None:
        """Count the other's tasks too."""
        _add(self.live, other.live)
        _add(self.ended, other.ended)
        self.submits += other.submits
        self.starts += other.starts
        known = [oldest for oldest in (self.oldest, other.oldest) if oldest is not None]
        self.oldest = min(known, default=None)

    @property
    def size(self) -> int:
        """How many live tasks there are."""
        return sum(self.live.values())


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks there are in a state."""

    tasks: int
    is_estimate: bool


# As expressions: SQLite would rather read all of the queues' index in its order than sort a few,
# and all tasks before their attempts.
_NOTHING: ColumnElement[str] = literal_column("''")
_QUEUE = tasks.c.queue.concat(_NOTHING)
_TYPE = tasks.c.task_type.concat(_NOTHING)

_LIVE = (
    select(
        _QUEUE.label("queue"),
        _TYPE.label("task_type"),
        tasks.c.state,
        func.count().label("number"),
        func.min(func.coalesce(tasks.c.due_at, tasks.c.created_at)).label("oldest"),
        func.sum(case((tasks.c.started_at > _SINCE, 1), else_=0)).label("starts"),
    )
    .where(tasks.c.state == bindparam("state"))
    .group_by(_QUEUE, _TYPE, tasks.c.state)
)
"""Of one state: SQLite, which does not know how rare some are, would read all rows for several."""

_SUBMITTED = (
    select(_QUEUE.label("queue"), _TYPE.label("task_type"), func.count().label("number"))
    .where(tasks.c.created_at > _SINCE)
    .group_by(_QUEUE, _TYPE)
)

_ENDED = (
    select(
        _QUEUE.label("queue"),
        _TYPE.label("task_type"),
        tasks.c.state,
        func.count().label("number"),
        func.sum(case((tasks.c.started_at > _SINCE, 1), else_=0)).label("starts"),
    )
    .where(tasks.c.finished_at > _SINCE)
    .group_by(_QUEUE, _TYPE, tasks.c.state)
)

# Attempts that did not end their task: an attempt that started lately and is over ended lately.
_FORMER = (
    select(_QUEUE.label("queue"), _TYPE.label("task_type"), func.count().label("number"))
    .join_from(attempts, tasks, attempts.c.task_id.concat(_NOTHING) == tasks.c.id)
    .where(attempts.c.ended_at > _SINCE, attempts.c.started_at > _SINCE)
    .group_by(_QUEUE, _TYPE)
)


def activity(tx: Connection) -> dict[Kind, Activity]:
    """What is going on, by queue and task type; those without any are left out."""
    found: dict[Kind, Activity] = {}
    for kind, some in _parts(tx):
        found.setdefault(kind, Activity.none()).add(some)
    return found


def _parts(tx: Connection) -> Iterator[tuple[Kind, Activity]]:
    for row in (row for state in sorted(LIVE) for row in tx.execute(_LIVE, {"state": state})):
        oldest = row.oldest if row.state is State.QUEUED else None
        part = Activity({row.state: row.number}, {}, starts=row.starts, oldest=oldest)
        yield Kind(row.queue, row.task_type), part
    for row in tx.execute(_ENDED):
        part = Activity({}, {row.state: row.number}, starts=row.starts)
        yield Kind(row.queue, row.task_type), part
    for row in tx.execute(_SUBMITTED):
        yield Kind(row.queue, row.task_type), Activity({}, {}, submits=row.number)
    for row in tx.execute(_FORMER):
        yield Kind(row.queue, row.task_type), Activity({}, {}, starts=row.number)


def final_counts(tx: Connection) -> dict[State, Count]:
    """How many tasks ended in each way, of those on record."""
    if tx.dialect.name == "postgresql" and _estimate(tx) > EXACT_UP_TO:
        return {state: Count(_estimate(tx, state), is_estimate=True) for state in sorted(FINAL)}
    counted = {row.state: row.number for row in tx.execute(_FINAL)}
    return {state: Count(counted.get(state, 0), is_estimate=False) for state in sorted(FINAL)}


_FINAL = (
    select(tasks.c.state, func.count().label("number"))
    .where(tasks.c.state.in_(sorted(FINAL)))
    .group_by(tasks.c.state)
)


def _estimate(tx: Connection, state: State | None = None) -> int:
    """How many rows PostgreSQL expects: it knows the table's size and how frequent states are."""
    condition = "" if state is None else f" WHERE state = '{state}'"
    statement = f"EXPLAIN (FORMAT JSON) SELECT FROM {tasks.name}{condition}"
    (found,) = tx.exec_driver_sql(statement).scalar_one()
    return int(found["Plan"]["Plan Rows"])


def _add(counts: dict[State, int], more: Mapping[State, int]) -> None:
    for state, number in more.items():
        counts[state] = counts.get(state, 0) + number
