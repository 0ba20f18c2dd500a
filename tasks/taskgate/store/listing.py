"""Lists of tasks, the newest first, a page at a time.

A page begins after a position, not at an offset, so the thousandth costs what the first does, and
tasks that come or go in between shift nothing. One filter drives: each of its values is read in
order from its own index and the heads are merged; the other filters are checked along the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    exists,
    literal,
    select,
    tuple_,
    union_all,
)

from taskgate.store import queries
from taskgate.store.clock import UtcDateTime
from taskgate.store.lifecycle import State
from taskgate.store.record import Task, task_from_row
from taskgate.store.tables import labels, tasks


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks to list: those that fit every filter that is not empty."""

    states: frozenset[State] = frozenset()
    task_types: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    """A task must have them all."""
    created_from: datetime | None = None
    created_before: datetime | None = None
    root_id: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list: that of the task with this time and id."""

    created_at: datetime
    id: str


def page(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> list[Task]:
    """Up to ``limit`` tasks after the position, with arguments, results and past attempts."""
    ids = _ids(tx, wanted, after, limit)
    found = queries.get_many(tx, ids)
    return [found[task_id] for task_id in ids if task_id in found]


def basic_page(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> list[Task]:
    """As ``page``, without what can be large: arguments, results and past attempts come empty."""
    ids = _ids(tx, wanted, after, limit)
    rows = tx.execute(select(*_BASIC_COLUMNS).where(tasks.c.id.in_(ids))).mappings()
    found = {row["id"]: task_from_row(row) for row in rows}
    return [found[task_id] for task_id in ids if task_id in found]


_EMPTY = {"arguments": "{}", "result": None, "message": None}

_BASIC_COLUMNS = [
    literal(_EMPTY[column.name]).label(column.name) if column.name in _EMPTY else column
    for column in tasks.c
]


def _ids(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> list[str]:
    heads = [_head(drive, wanted, after, limit) for drive in _drives(wanted)]
    merged = union_all(*(select(head.c.created_at, head.c.id) for head in heads)).subquery()
    statement = select(merged.c.id).order_by(merged.c.created_at.desc(), merged.c.id.desc())
    return list(tx.execute(statement.limit(limit)).scalars())


@dataclass(frozen=True, slots=True)
class _Drive:
    """What one head is read by: an equality on tasks, or one label; or nothing, for all tasks."""

    equality: ColumnElement[bool] | None = None
    label: tuple[str, str] | None = None


def _drives(wanted: Filter) -> list[_Drive]:
    """The filter that narrows most, as far as one can tell without looking at the data."""
    if wanted.root_id is not None:
        return [_Drive(equality=tasks.c.root_id == wanted.root_id)]
    if wanted.labels:
        return [_Drive(label=min(wanted.labels.items()))]
    candidates: list[tuple[ColumnElement[str], frozenset[str]]] = [
        (tasks.c.task_type, wanted.task_types),
        (tasks.c.queue, wanted.queues),
    ]
    # Nearly all tasks of a sound system are SUCCEEDED; in any other state there are few.
    states_first = State.SUCCEEDED not in wanted.states
    candidates.insert(0 if states_first else 2, (tasks.c.state, frozenset(wanted.states)))
    for column, values in candidates:
        if values:
            return [_Drive(equality=column == value) for value in sorted(values)]
    return [_Drive()]


def _head(drive: _Drive, wanted: Filter, after: Position | None, limit: int) -> Subquery:
    """The first ``limit`` tasks that the drive finds."""
    if drive.label is None:
        head: _Head = select(tasks.c.created_at, tasks.c.id)
        key = (tasks.c.created_at, tasks.c.id)
    else:
        name, value = drive.label
        head = (
            select(labels.c.created_at, labels.c.task_id.label("id"))
            .join_from(labels, tasks, labels.c.task_id == tasks.c.id)
            .where(labels.c.name == name, labels.c.value == value)
        )
        key = (labels.c.created_at, labels.c.task_id)
    if drive.equality is not None:
        head = head.where(drive.equality)
    head = _checked(_between(head, key, wanted, after), wanted)
    return head.order_by(*(column.desc() for column in key)).limit(limit).subquery()


_Head = Select[tuple[datetime, str]]


def _between(
    head: _Head,
    key: tuple[ColumnElement[datetime], ColumnElement[str]],
    wanted: Filter,
    after: Position | None,
) -> _Head:
    created_at, _ = key
    if wanted.created_from is not None:
        head = head.where(created_at >= wanted.created_from)
    if wanted.created_before is not None:
        head = head.where(created_at < wanted.created_before)
    if after is not None:
        position = tuple_(literal(after.created_at, UtcDateTime()), literal(after.id))
        head = head.where(tuple_(*key) < position)
    return head


def _checked(head: _Head, wanted: Filter) -> _Head:
    for column, values in (
        (tasks.c.state, wanted.states),
        (tasks.c.task_type, wanted.task_types),
        (tasks.c.queue, wanted.queues),
    ):
        if values:
            head = head.where(column.in_(sorted(values)))
    for name, value in wanted.labels.items():
        one = labels.alias()
        has_it = exists().where(
            one.c.task_id == tasks.c.id, one.c.name == name, one.c.value == value
        )
        head = head.where(has_it)
    return head
