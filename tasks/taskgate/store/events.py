"""What happened to tasks, as the record tells it; and the calls that it would not tell of.

No transition writes a row for this. Records and past attempts have the times of all that happened,
each with an index by which it is found: submissions by their creation, ends by theirs, starts among
what is running. Only a call that changes a task leaves a row, in its own transaction.

Programs go on after the last event that they were given, so an event must not appear later before
it. Transactions do not commit in the order of the times that they write; so what is listed ends at
a *horizon*, before which no transaction that may still write began.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    collate,
    delete,
    insert,
    or_,
    select,
    text,
)

from taskgate.store import event
from taskgate.store.database import clock
from taskgate.store.database.columns import Name, UtcDateTime
from taskgate.store.errors import TaskNotFound
from taskgate.store.event import Event, Kind, Position
from taskgate.store.lifecycle import ACTIVE
from taskgate.store.mirror import LOOK_BACK
from taskgate.store.record import new_task_id
from taskgate.store.tables import attempts, calls, state_in, tasks

MARGIN = timedelta(milliseconds=100)
"""PostgreSQL shows a transaction a moment after it began."""

_TIES = 10
"""Events of one task at one time that a source can have, at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, the oldest first."""

    events: list[Event]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changed a task."""

    task_id: str
    task_type: str
    queue: str
    call: str
    caller: str
    peer: str
    detail: str = ""


def record(tx: Connection, call: Call) -> None:
    """Record a call, in the transaction that does what it asked for."""
    values = {name: getattr(call, name) for name in Call.__slots__}
    tx.execute(insert(calls).values(id=new_task_id(), called_at=clock.now(), **values))


def forget_old(tx: Connection, older_than: timedelta) -> int:
    """Delete the calls that were made that long ago; how many."""
    return tx.execute(delete(calls).where(calls.c.called_at < clock.in_(-older_than))).rowcount


def horizon(tx: Connection) -> datetime:
    """The time before which all has happened that ever will, in a transaction that writes.

    Exact but for a margin, where the database shows us everyone's transactions; otherwise so long
    ago that no transaction of ours is older.
    """
    if tx.dialect.name == "sqlite":
        return clock.read(tx)  # no other transaction writes while we are one that could
    now, hidden, began_at = tx.execute(_TRANSACTIONS).one()
    earliest: datetime = now - LOOK_BACK
    if hidden:
        return earliest
    latest: datetime = min(began_at or now, now - MARGIN)
    return max(earliest, latest)


_TRANSACTIONS = text(
    "SELECT statement_timestamp(), coalesce(bool_or(query = '<insufficient privilege>'), false),"
    " min(xact_start) FROM pg_stat_activity WHERE datname = current_database()"
    " AND coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid()"
)


def following(
    tx: Connection, after: Position, until: datetime, limit: int, kinds: Collection[Kind] = ()
) -> Page:
    """Up to ``limit`` events of all tasks after a position and before a horizon."""
    found: list[Event] = []
    parameters = {"time": after.time, "id": after.task_id, "until": until, "limit": limit + _TIES}
    for kind in kinds or Kind:
        rows = tx.execute(_SOURCES[tx.dialect.name][kind], parameters)
        found += map(event.FROM_ROW[kind], rows)
    return _page(found, after, until, limit)


def kind_of(tx: Connection, task_id: str) -> tuple[str, str]:
    """A task's type and queue; those it had, if only calls are known of it.

    Raises:
        TaskNotFound: nothing is known of it.
    """
    for statement in (_TASK, _CALLS_OF_TASK):
        row = tx.execute(statement, {"id": task_id}).first()
        if row is not None:
            return row.task_type, row.queue
    raise TaskNotFound(task_id)


def of_task(
    tx: Connection,
    task_id: str,
    after: Position,
    until: datetime,
    limit: int,
    kinds: Collection[Kind] = (),
) -> Page:
    """As ``following``, of one task, the starts of all attempts included."""
    task = tx.execute(_TASK, {"id": task_id}).one_or_none()
    found = list(map(event.called, tx.execute(_CALLS_OF_TASK, {"id": task_id})))
    if task is not None:
        past = tx.execute(_ATTEMPTS_OF_TASK, {"id": task_id}).all()
        found += event.history(task, past)
    return _page([one for one in found if one.kind in (kinds or Kind)], after, until, limit)


def _page(found: Iterable[Event], after: Position, until: datetime, limit: int) -> Page:
    new = sorted(
        (one for one in found if one.position > after and one.time < until),
        key=lambda one: one.position,
    )
    return Page(new[:limit], has_more=len(new) > limit)


# The statements, built once. Each finds its rows in the order of their times by an index.

_OF_TASK = (
    tasks.c.id,
    tasks.c.task_type,
    tasks.c.queue,
    tasks.c.state,
    tasks.c.attempt,
    tasks.c.worker,
    tasks.c.created_at,
    tasks.c.started_at,
    tasks.c.finished_at,
    tasks.c.failure,
    tasks.c.abort_requested_at,
    tasks.c.abort_by,
    tasks.c.abort_reason,
    tasks.c.submitted_by,
    tasks.c.submitted_from,
    tasks.c.request_id,
    tasks.c.retry_of,
)

_ATTEMPTS = select(
    tasks.c.id,
    tasks.c.task_type,
    tasks.c.queue,
    attempts.c.number.label("attempt"),
    attempts.c.number,
    attempts.c.worker,
    attempts.c.started_at,
    attempts.c.ended_at,
    attempts.c.outcome,
    attempts.c.failure,
).join_from(attempts, tasks, attempts.c.task_id == tasks.c.id)

_CALLS = select(
    calls.c.task_id.label("id"),
    calls.c.task_type,
    calls.c.queue,
    calls.c.id.label("call_id"),
    calls.c.called_at,
    calls.c.call,
    calls.c.caller,
    calls.c.peer,
    calls.c.detail,
)

_TASK: Select[Any] = select(*_OF_TASK).where(tasks.c.id == bindparam("id"))
_ATTEMPTS_OF_TASK: Select[Any] = _ATTEMPTS.where(attempts.c.task_id == bindparam("id"))
_CALLS_OF_TASK: Select[Any] = _CALLS.where(calls.c.task_id == bindparam("id"))


def _after(
    rows: Select[Any],
    time: ColumnElement[datetime],
    task_id: ColumnElement[str],
    dialect: str,
) -> Select[Any]:
    """The first of the rows that are not before a position and are before a horizon."""
    # As Python sorts them: many tasks have the same time, and pages end among them.
    ordered_id = collate(task_id, "C") if dialect == "postgresql" else task_id
    at = bindparam("time", type_=UtcDateTime())
    is_not_before = or_(time > at, ordered_id >= bindparam("id", type_=Name()))
    within = and_(time >= at, time < bindparam("until", type_=UtcDateTime()))
    found = rows.where(within, is_not_before)
    return found.order_by(time, ordered_id).limit(bindparam("limit"))


def _sources(dialect: str) -> Mapping[Kind, Select[Any]]:
    """Where each kind of event is found, of all tasks."""
    records, active = select(*_OF_TASK), select(*_OF_TASK).where(state_in(ACTIVE))
    ended = records.where(tasks.c.finished_at.is_not(None))
    task_id = tasks.c.id
    return {
        Kind.SUBMITTED: _after(records, tasks.c.created_at, task_id, dialect),
        Kind.CALLED: _after(_CALLS, calls.c.called_at, calls.c.task_id, dialect),
        Kind.STARTED: _after(active, tasks.c.started_at, task_id, dialect),
        Kind.ABORT_REQUESTED: _after(active, tasks.c.abort_requested_at, task_id, dialect),
        Kind.ATTEMPT_ENDED: _after(_ATTEMPTS, attempts.c.ended_at, attempts.c.task_id, dialect),
        Kind.ENDED: _after(ended, tasks.c.finished_at, task_id, dialect),
    }


_SOURCES = {dialect: _sources(dialect) for dialect in ("postgresql", "sqlite")}
