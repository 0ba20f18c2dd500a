"""Lists of tasks, the newest first, a page at a time.

A page begins after a position, not at an offset, so the thousandth costs what the first does, and
tasks that come or go in between shift nothing. One filter drives: each of its values is read in
order from its own index and the heads are merged; the other filters are checked along the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    exists,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from taskgate.store import queries
from taskgate.store.database.columns import Name, UtcDateTime
from taskgate.store.lifecycle import State
from taskgate.store.record import RECORDED, Task
from taskgate.store.tables import attempts, labels, tasks


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks to list: those that fit every filter that is not empty."""

    ids: frozenset[str] = frozenset()
    states: frozenset[State] = frozenset()
    task_types: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    """A task must have them all."""
    root_ids: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    created_from: datetime | None = None
    created_before: datetime | None = None


_MATCHED: dict[str, ColumnElement[str]] = {
    "ids": tasks.c.id,
    "root_ids": tasks.c.root_id,
    "schedules": tasks.c.schedule,
    "states": tasks.c.state,
    "task_types": tasks.c.task_type,
    "queues": tasks.c.queue,
}
"""The filters that name values of a column, those that narrow most first. Each of the columns
has an index with the time (see ``tables.py``); an id is the key."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list: that of the task with this time and id."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some tasks of a list, the newest first."""

    tasks: list[Task]
    next: Position | None
    """After which the next page begins; None if this is the last one."""


MOST_CHARACTERS = 500_000
"""Of arguments, results and tracebacks in one page. Most gRPC clients take 4 MiB, and a list of
small numbers is seven times as long in protobuf as it is in JSON."""


def page(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> Page:
    """Up to ``limit`` tasks after the position, with arguments, results and past attempts.

    Fewer if they are large, but one at least unless it was deleted just now.
    """
    rows = tx.execute(_found(wanted, after, limit + 1, _SIZED)).all()
    positions = [Position(row.created_at, row.id) for row in rows]
    shown = positions[: _fitting([row.size for row in rows[:limit]])]
    known = queries.get_many(tx, [position.id for position in shown])
    # Where the page ends is told by what was found: what was found can be deleted by now.
    return Page(
        tasks=[known[position.id] for position in shown if position.id in known],
        next=shown[-1] if len(positions) > len(shown) else None,
    )


def basic_page(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> Page:
    """As ``page``, without what can be large: arguments, results and past attempts come empty."""
    rows = tx.execute(_found(wanted, after, limit + 1, _BASIC)).all()
    shown = [Task(*row) for row in rows[:limit]]
    has_more = len(rows) > len(shown)
    return Page(shown, Position(shown[-1].created_at, shown[-1].id) if has_more else None)


def task_types(tx: Connection) -> list[str]:
    """The types that tasks on record have."""
    return [row.value for row in tx.execute(_TYPES)]


def queues(tx: Connection) -> list[str]:
    """The queues that tasks on record have."""
    return [row.value for row in tx.execute(_QUEUES)]


def _distinct(column: ColumnElement[str]) -> Select[Any]:
    """A column's values, one look into its index each: DISTINCT would read all of the index."""
    found = select(func.min(column).label("value")).cte("found", recursive=True)
    following = select(func.min(column)).where(column > found.c.value).scalar_subquery()
    found = found.union_all(select(following).where(found.c.value.is_not(None)))
    return select(found.c.value).where(found.c.value.is_not(None))


_TYPES = _distinct(tasks.c.task_type)
_QUEUES = _distinct(tasks.c.queue)


def _fitting(sizes: Sequence[int]) -> int:
    """How many tasks of these sizes a page may hold."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > MOST_CHARACTERS and number:
            return number
    return len(sizes)


def _size() -> ColumnElement[int]:
    """How many characters of a task may be many."""
    past = select(func.sum(func.length(attempts.c.failure))).where(attempts.c.task_id == tasks.c.id)
    size: ColumnElement[int] = func.coalesce(past.scalar_subquery(), 0)
    for column in (tasks.c.arguments, tasks.c.result, tasks.c.failure):
        size += func.coalesce(func.length(column), 0)
    return size


_Columns = Sequence[ColumnElement[Any]]

_KEY: _Columns = [tasks.c.created_at, tasks.c.id]

_SIZED: _Columns = [tasks.c.created_at, tasks.c.id, _size().label("size")]

_EMPTY = {"arguments": "{}", "result": None, "message": None}

_BASIC: _Columns = [
    literal(_EMPTY[name]).label(name) if name in _EMPTY else tasks.c[name] for name in RECORDED
]


def _found(wanted: Filter, after: Position | None, limit: int, columns: _Columns) -> Select[Any]:
    """The first tasks that fit, in one statement."""
    drives = _drives(wanted)
    if len(drives) == 1:
        return _head(drives[0], wanted, after, limit, columns)
    heads = [_head(drive, wanted, after, limit, _KEY).subquery() for drive in drives]
    merged = union_all(*map(select, heads)).subquery()
    return (
        select(*columns)
        .join_from(merged, tasks, merged.c.id == tasks.c.id)
        .order_by(merged.c.created_at.desc(), merged.c.id.desc())
        .limit(limit)
    )


@dataclass(frozen=True, slots=True)
class _Drive:
    """What one head is read by: a column's value, or one label; or nothing, for all tasks."""

    column: ColumnElement[str] | None = None
    value: str = ""
    label: tuple[str, str] | None = None


def _drives(wanted: Filter) -> list[_Drive]:
    """The filter that narrows most, as far as one can tell without looking at the data."""
    if wanted.labels and not (wanted.ids or wanted.root_ids):
        return [_Drive(label=min(wanted.labels.items()))]
    # Nearly all tasks of a sound system are SUCCEEDED; in any other state there are few.
    names = sorted(_MATCHED, key=lambda name: name == "states" and State.SUCCEEDED in wanted.states)
    for name in names:
        if values := getattr(wanted, name):
            return [_Drive(column=_MATCHED[name], value=value) for value in sorted(values)]
    return [_Drive()]


def matching(wanted: Filter, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """Columns of all tasks that fit, in any order."""
    by_label = wanted.labels and not (wanted.ids or wanted.root_ids)
    drive = _Drive(label=min(wanted.labels.items())) if by_label else _Drive()
    found, _key = _driven(drive, wanted, None, columns)
    return found


def count(tx: Connection, wanted: Filter, most: int | None) -> int:
    """How many tasks fit; ``most``, if there are more and it is given."""
    some = matching(wanted, [tasks.c.id]).limit(most)
    return tx.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def _head(
    drive: _Drive, wanted: Filter, after: Position | None, limit: int, columns: _Columns
) -> Select[Any]:
    """The first ``limit`` tasks that the drive finds."""
    head, key = _driven(drive, wanted, after, columns)
    return head.order_by(*(column.desc() for column in key)).limit(limit)


_Key = tuple[ColumnElement[datetime], ColumnElement[str]]


def _driven(
    drive: _Drive, wanted: Filter, after: Position | None, columns: _Columns
) -> tuple[Select[Any], _Key]:
    """What the drive finds, and by what it can be put in order."""
    if drive.label is None:
        head: _Head = select(*columns).select_from(tasks)
        key: _Key = (tasks.c.created_at, tasks.c.id)
    else:
        name, value = drive.label
        head = (
            select(*columns)
            .join_from(labels, tasks, labels.c.task_id == tasks.c.id)
            .where(labels.c.name == name, labels.c.value == value)
        )
        key = (labels.c.created_at, labels.c.task_id)
    if drive.column is not None:
        head = head.where(drive.column == drive.value)
    return _checked(_between(head, key, wanted, after), wanted, drive), key


_Head = Select[Any]


def _between(
    head: _Head,
    key: _Key,
    wanted: Filter,
    after: Position | None,
) -> _Head:
    created_at, _ = key
    if wanted.created_from is not None:
        head = head.where(created_at >= wanted.created_from)
    if wanted.created_before is not None:
        head = head.where(created_at < wanted.created_before)
    if after is not None:
        position = tuple_(literal(after.created_at, UtcDateTime()), literal(after.id, Name()))
        head = head.where(tuple_(*key) < position)
    return head


def _checked(head: _Head, wanted: Filter, drive: _Drive) -> _Head:
    for name, column in _MATCHED.items():
        values = getattr(wanted, name)
        if values and column is not drive.column:
            head = head.where(column.in_(sorted(values)))
    for name, value in wanted.labels.items():
        if (name, value) == drive.label:
            continue
        one = labels.alias()
        has_it = exists().where(
            one.c.task_id == tasks.c.id, one.c.name == name, one.c.value == value
        )
        head = head.where(has_it)
    return head
