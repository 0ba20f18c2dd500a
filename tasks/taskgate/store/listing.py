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
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from taskgate.store import queries
from taskgate.store.database.columns import Name, UtcDateTime
from taskgate.store.lifecycle import State
from taskgate.store.record import Task, from_row
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
    created_from: datetime | None = None
    created_before: datetime | None = None


_MATCHED: dict[str, ColumnElement[str]] = {
    "ids": tasks.c.id,
    "root_ids": tasks.c.root_id,
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
    found = _find(tx, wanted, after, limit + 1)
    shown = _not_too_large(tx, found[:limit])
    return _page(found, shown, queries.get_many(tx, [position.id for position in shown]))


def basic_page(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> Page:
    """As ``page``, without what can be large: arguments, results and past attempts come empty."""
    found = _find(tx, wanted, after, limit + 1)
    shown = found[:limit]
    ids = [position.id for position in shown]
    rows = tx.execute(select(*_BASIC_COLUMNS).where(tasks.c.id.in_(ids))).mappings()
    return _page(found, shown, {row["id"]: from_row(Task, row) for row in rows})


def _page(found: list[Position], shown: list[Position], known: Mapping[str, Task]) -> Page:
    # Where the page ends is told by what was found: what was found can be deleted by now.
    return Page(
        tasks=[known[position.id] for position in shown if position.id in known],
        next=shown[-1] if len(found) > len(shown) else None,
    )


def _not_too_large(tx: Connection, found: list[Position]) -> list[Position]:
    sizes = _sizes(tx, [position.id for position in found])
    total = 0
    for number, position in enumerate(found):
        total += sizes.get(position.id, 0)
        if total > MOST_CHARACTERS and number:
            return found[:number]
    return found


def _sizes(tx: Connection, ids: list[str]) -> dict[str, int]:
    """How many characters of each task may be many."""
    past = select(func.sum(func.length(attempts.c.failure))).where(attempts.c.task_id == tasks.c.id)
    size: ColumnElement[int] = func.coalesce(past.scalar_subquery(), 0)
    for column in (tasks.c.arguments, tasks.c.result, tasks.c.failure):
        size += func.coalesce(func.length(column), 0)
    rows = tx.execute(select(tasks.c.id, size.label("size")).where(tasks.c.id.in_(ids)))
    return {row.id: row.size for row in rows}


_EMPTY = {"arguments": "{}", "result": None, "message": None}

_BASIC_COLUMNS = [
    literal(_EMPTY[column.name]).label(column.name) if column.name in _EMPTY else column
    for column in tasks.c
]


def _find(tx: Connection, wanted: Filter, after: Position | None, limit: int) -> list[Position]:
    heads = [_head(drive, wanted, after, limit) for drive in _drives(wanted)]
    merged = union_all(*(select(head.c.created_at, head.c.id) for head in heads)).subquery()
    statement = (
        select(merged.c.created_at, merged.c.id)
        .order_by(merged.c.created_at.desc(), merged.c.id.desc())
        .limit(limit)
    )
    return [Position(row.created_at, row.id) for row in tx.execute(statement)]


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
    if drive.column is not None:
        head = head.where(drive.column == drive.value)
    head = _checked(_between(head, key, wanted, after), wanted, drive)
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
