"""The outbox: a row for each attempt that waits to be claimed, and what was lost on the way.

A row is due at ``publish_at``. Whoever publishes it writes ``published_at`` first; the row stays,
and the claim deletes it. So a message is only a hint, and nobody waits for the broker's word.

A broker delivers the tasks of one queue and priority in their order. Workers record up to which
``published_at`` they have claimed, the watermark; a row well below it, or whose queue is empty at
the broker, has lost its message and is published again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    update,
)

from taskgate.store.database import clock
from taskgate.store.database.columns import UtcDateTime
from taskgate.store.lifecycle import DUE, State
from taskgate.store.record import Task, from_row
from taskgate.store.tables import insert_into, outbox, pauses, tasks, watermarks

CLAIM_TIMEOUT = timedelta(seconds=10)
"""How long a published task may stay unclaimed before its message can be taken for lost; doubled
with each time it is published again, so that a wrong guess never multiplies a backlog."""

MOST_DOUBLINGS = 8

WATERMARK_MARGIN = timedelta(seconds=2)
"""By how much a row must be older than the watermark: servers publish side by side."""


class Subqueue(NamedTuple):
    """The tasks of one queue and priority, which a broker delivers in their order."""

    queue: str
    priority: int


def put(tx: Connection, task_id: str, attempt: int, delay: timedelta) -> None:
    """Have the attempt published after ``delay``, in place of what the outbox had of the task."""
    waiting: dict[str, ColumnElement[Any]] = {
        "attempt": literal(attempt),
        "publish_at": clock.in_(delay),
        "published_at": null(),
        "tries": literal(0),
        "held_by": null(),
    }
    row = select(tasks.c.id, tasks.c.queue, tasks.c.priority, *waiting.values())
    statement = insert_into(tx, outbox).from_select(
        ["task_id", "queue", "priority", *waiting], row.where(tasks.c.id == task_id)
    )
    is_same_attempt = outbox.c.attempt == attempt
    waiting["tries"] = case((is_same_attempt, outbox.c.tries), else_=0)
    tx.execute(statement.on_conflict_do_update(index_elements=["task_id"], set_=waiting))


def remove(tx: Connection, task_ids: Collection[str]) -> None:
    """Have nothing published of the tasks."""
    tx.execute(delete(outbox).where(outbox.c.task_id.in_(task_ids)))


def take_due(tx: Connection, limit: int) -> list[Task]:
    """Take due rows, oldest first, as published now, and make their tasks QUEUED.

    Rows whose task moved on (aborted, expired, claimed) are deleted.
    """
    due = _lock_due(tx, limit)
    live = [row for row in due if _waits(row)]
    gone = [row["id"] for row in due if not _waits(row)]
    if gone:
        remove(tx, gone)
    _make_queued(tx, [row["id"] for row in live if row["state"] in DUE.sources])
    _mark_published(tx, [row["id"] for row in live])
    return [_queued(from_row(Task, row)) for row in live]


def release(tx: Connection, unpublished: Sequence[Task]) -> None:
    """Have what could not be published be due again, as far as it was not claimed or replaced."""
    is_current = exists().where(
        tasks.c.id == outbox.c.task_id,
        tasks.c.attempt == outbox.c.attempt,
        tasks.c.state == State.QUEUED,
    )
    tx.execute(
        update(outbox)
        .where(outbox.c.task_id.in_([task.id for task in unpublished]), is_current)
        .values(published_at=None, publish_at=clock.now())
    )


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to do."""

    seconds_until_due: float | None
    """Until the next row is due, negative if it is over; None if none is to be due."""
    has_pauses: bool
    """There are pauses, or were, and rows may still be held by them."""


def look(tx: Connection) -> Look:
    """See what there is to do."""
    row = tx.execute(_LOOK).one()
    until_due = None if row.publish_at is None else (row.publish_at - row.now).total_seconds()
    return Look(until_due, bool(row.has_pauses))


IS_UNPUBLISHED = and_(outbox.c.published_at.is_(None), outbox.c.held_by.is_(None))
"""As the index of due rows has it."""

_NEXT_DUE = select(outbox.c.publish_at).where(IS_UNPUBLISHED).order_by(outbox.c.publish_at).limit(1)

_LOOK = select(
    _NEXT_DUE.scalar_subquery().label("publish_at"),
    clock.now().label("now"),
    exists().select_from(pauses).label("has_pauses"),
)


def count(tx: Connection, queue: str, most: int) -> int:
    """How many tasks of a queue wait, delayed ones included; ``most``, if there are more."""
    some = select(outbox.c.task_id).where(outbox.c.queue == queue).limit(most)
    return tx.execute(select(func.count()).select_from(some.subquery())).scalar_one()


class Backlog(NamedTuple):
    """What the outbox holds."""

    rows: int
    """Attempts that wait for a claim, those that are due later included."""
    due: int
    """Those that should have been published by now."""
    due_seconds: float
    """For how long the oldest of these has been due; 0 if there is none."""


def backlog(tx: Connection) -> Backlog:
    """How much waits in the outbox, and what is late there."""
    return Backlog(*tx.execute(_BACKLOG).one())


_IS_DUE = and_(IS_UNPUBLISHED, outbox.c.publish_at <= clock.now())
_DUE_SECONDS = func.max(case((_IS_DUE, clock.between(outbox.c.publish_at, clock.now()))))

_BACKLOG = select(
    func.count(),
    func.coalesce(func.sum(case((_IS_DUE, 1), else_=0)), 0),
    func.coalesce(_DUE_SECONDS, 0.0),
).select_from(outbox)


# What workers have claimed, and what was lost on the way to them.


def advance_watermarks(tx: Connection, claimed: Mapping[Subqueue, datetime]) -> None:
    """Record up to which ``published_at`` tasks were claimed."""
    insert = insert_into(tx, watermarks)
    later = insert.excluded.claimed_until
    statement = insert.on_conflict_do_update(
        index_elements=["queue", "priority"],
        set_={"claimed_until": later},
        where=watermarks.c.claimed_until < later,
    )
    # In one order everywhere, so that two workers do not block each other.
    rows = [
        {"queue": subqueue.queue, "priority": subqueue.priority, "claimed_until": until}
        for subqueue, until in sorted(claimed.items())
    ]
    if rows:
        tx.execute(statement, rows)


def forget_watermarks(tx: Connection, older_than: timedelta) -> int:
    """Delete those of queues that nothing waits in and nothing was claimed from for that long."""
    in_use = exists().where(outbox.c.queue == watermarks.c.queue)
    is_old = watermarks.c.claimed_until < clock.in_(-older_than)
    return tx.execute(delete(watermarks).where(is_old, ~in_use)).rowcount


def overdue_subqueues(tx: Connection) -> list[Subqueue]:
    """The subqueues whose oldest published row has waited so long that it may be lost."""
    return [subqueue for subqueue in _subqueues(tx) if _has_overdue(tx, subqueue)]


def republish_lost(
    tx: Connection, subqueue: Subqueue, *, queue_is_empty: bool, limit: int
) -> list[str]:
    """Have rows of a subqueue whose messages were lost be due again; their ids, oldest first."""
    lost = (
        select(outbox.c.task_id)
        .where(
            outbox.c.queue == subqueue.queue,
            outbox.c.priority == subqueue.priority,
            outbox.c.published_at < clock.in_(-CLAIM_TIMEOUT),
            _claim_timed_out(),
        )
        .order_by(outbox.c.published_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not queue_is_empty:
        watermark = _watermark(tx, subqueue)
        if watermark is None:
            return []
        lost = lost.where(outbox.c.published_at < watermark - WATERMARK_MARGIN)
    ids = list(tx.execute(lost).scalars())
    tx.execute(
        update(outbox)
        .where(outbox.c.task_id.in_(ids))
        .values(published_at=None, publish_at=clock.now())
    )
    return ids


def _subqueues(tx: Connection) -> Iterator[Subqueue]:
    """Those that have rows: one look into the index for each, however long they are."""
    key = (outbox.c.queue, outbox.c.priority)
    after = Subqueue("", -1)
    while True:
        position = tuple_(literal(after.queue), literal(after.priority))
        following = select(*key).where(tuple_(*key) > position).order_by(*key).limit(1)
        row = tx.execute(following).one_or_none()
        if row is None:
            return
        after = Subqueue(row.queue, row.priority)
        yield after


def _has_overdue(tx: Connection, subqueue: Subqueue) -> bool:
    overdue = select(outbox.c.task_id).where(
        outbox.c.queue == subqueue.queue,
        outbox.c.priority == subqueue.priority,
        outbox.c.published_at < clock.in_(-CLAIM_TIMEOUT),
    )
    return tx.execute(overdue.limit(1)).first() is not None


def _watermark(tx: Connection, subqueue: Subqueue) -> datetime | None:
    """What was claimed of the subqueue, or of a less urgent one: that comes later still."""
    claimed = select(func.max(watermarks.c.claimed_until, type_=UtcDateTime())).where(
        watermarks.c.queue == subqueue.queue, watermarks.c.priority <= subqueue.priority
    )
    until: datetime | None = tx.execute(claimed).scalar_one()
    return until


def _claim_timed_out() -> ColumnElement[bool]:
    return or_(
        *(
            and_(
                outbox.c.tries <= doublings + 1
                if not doublings
                else outbox.c.tries == doublings + 1
                if doublings < MOST_DOUBLINGS
                else outbox.c.tries > MOST_DOUBLINGS,
                outbox.c.published_at < clock.in_(-CLAIM_TIMEOUT * 2**doublings),
            )
            for doublings in range(MOST_DOUBLINGS + 1)
        )
    )


# Taking what is due.


def _lock_due(tx: Connection, limit: int) -> Sequence[RowMapping]:
    # Task and outbox row are locked together, or skipped where someone else has either: transitions
    # lock the task before its outbox row, so to hold one and wait for the other is a deadlock.
    due = (
        select(tasks, outbox.c.attempt.label("due_attempt"))
        .join_from(outbox, tasks, outbox.c.task_id == tasks.c.id)
        .where(IS_UNPUBLISHED, outbox.c.publish_at <= clock.now())
        .order_by(outbox.c.publish_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tx.execute(due).mappings().all()


def _waits(row: RowMapping) -> bool:
    may_be_published = row["state"] == State.QUEUED or row["state"] in DUE.sources
    return may_be_published and row["attempt"] == row["due_attempt"]


def _queued(task: Task) -> Task:
    """The task as ``_make_queued`` leaves it."""
    if task.state not in DUE.sources:
        return task
    return replace(task, state=DUE.target, version=task.version + 1)


def _make_queued(tx: Connection, ids: Sequence[str]) -> None:
    if ids:
        tx.execute(
            update(tasks)
            .where(tasks.c.id.in_(ids))
            .values(state=DUE.target, version=tasks.c.version + 1)
        )


def _mark_published(tx: Connection, ids: Sequence[str]) -> None:
    if ids:
        tx.execute(
            update(outbox)
            .where(outbox.c.task_id.in_(ids))
            .values(published_at=clock.now(), tries=outbox.c.tries + 1)
        )
