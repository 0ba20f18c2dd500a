"""Pauses: queues and task types of which nothing new starts, and what they hold back.

A pause is looked at by the claim, so it holds from its commit on, whatever is on its way. What it
keeps from starting waits in the outbox, marked with the pause that holds it and so not due; the
claim's guard and the dispatchers mark it. Resuming leaves the row as resumed until everything that
it held is due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    delete,
    exists,
    literal_column,
    or_,
    select,
    update,
)

from taskgate.store.database import clock
from taskgate.store.database.columns import storable
from taskgate.store.lifecycle import State
from taskgate.store.outbox import IS_UNPUBLISHED
from taskgate.store.tables import insert_into, outbox, pauses, tasks


class Kind(StrEnum):
    """What can be paused."""

    QUEUE = "queue"
    TASK_TYPE = "type"


class Target(NamedTuple):
    """A queue or a task type."""

    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """As it stands in the tables."""
        return f"{self.kind}:{storable(self.name)}"


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing new of the target starts."""

    target: Target
    paused_at: datetime
    paused_by: str
    reason: str


_QUEUE_KEY: ColumnElement[str] = literal_column(f"'{Kind.QUEUE}:'", Text()).concat(tasks.c.queue)
_TYPE_KEY: ColumnElement[str] = literal_column(f"'{Kind.TASK_TYPE}:'", Text()).concat(
    tasks.c.task_type
)

IS_PAUSED: ColumnElement[bool] = and_(
    exists().select_from(pauses),  # asked once, whereas what follows is asked of each task
    exists().where(pauses.c.key.in_([_QUEUE_KEY, _TYPE_KEY]), pauses.c.resumed_at.is_(None)),
)
"""Of a row of ``tasks``: whether it may not be claimed now."""


def pause(tx: Connection, target: Target, *, by: str, reason: str) -> Pause:
    """Have nothing new of the target start. One that is paused stays so, as it was said first."""
    statement = insert_into(tx, pauses).values(
        key=target.key, paused_at=clock.now(), paused_by=by, reason=reason
    )
    anew = {name: statement.excluded[name] for name in ("paused_at", "paused_by", "reason")}
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={**anew, "resumed_at": None},
            where=pauses.c.resumed_at.is_not(None),
        )
    )
    return {one.target.key: one for one in list_all(tx)}[target.key]


def resume(tx: Connection, target: Target) -> bool:
    """End a pause; False if there was none. What it held is due again as dispatchers find it."""
    ended = tx.execute(
        update(pauses)
        .where(pauses.c.key == target.key, pauses.c.resumed_at.is_(None))
        .values(resumed_at=clock.now())
    )
    return ended.rowcount == 1


def list_all(tx: Connection) -> list[Pause]:
    """Every pause, by kind and name."""
    rows = tx.execute(select(pauses).where(pauses.c.resumed_at.is_(None)).order_by(pauses.c.key))
    return [Pause(_target(row.key), row.paused_at, row.paused_by, row.reason) for row in rows]


def _target(key: str) -> Target:
    kind, _, name = key.partition(":")
    return Target(Kind(kind), name)


# What is held back.


# The formal model's step Hold.
def hold_claimed(tx: Connection, attempts: Sequence[tuple[str, int]]) -> set[str]:
    """Keep in the outbox what could be claimed but for a pause; the ids of those tasks.

    ``attempts``: as given to a claim that was not won. Their messages can go.
    """
    keys = _active_keys(tx)
    if not keys:
        return set()
    numbers = {storable(task_id): attempt for task_id, attempt in attempts}
    found = tx.execute(
        select(tasks.c.id, tasks.c.attempt, tasks.c.queue, tasks.c.priority, _key_of(keys))
        .where(tasks.c.id.in_(numbers), tasks.c.state == State.QUEUED, _has_key(keys))
        .order_by(tasks.c.id)
        .with_for_update(skip_locked=True)
    )
    rows = [
        {
            "task_id": row.id,
            "attempt": row.attempt,
            "queue": row.queue,
            "priority": row.priority,
            "held_by": row.key,
            "tries": 0,
        }
        for row in found
        if row.attempt == numbers[row.id]
    ]
    if rows:
        # Tasks of other producers have no row yet.
        statement = insert_into(tx, outbox).values(publish_at=clock.now())
        held = {"published_at": None, "held_by": statement.excluded.held_by}
        tx.execute(
            statement.on_conflict_do_update(index_elements=["task_id"], set_=held),
            rows,
        )
    return {row["task_id"] for row in rows}


def hold_due(tx: Connection, limit: int) -> int:
    """Hold what is due and paused among the first so many rows that are due; how many."""
    keys = _active_keys(tx)
    if not keys:
        return 0
    first = (
        select(outbox.c.task_id)
        .where(IS_UNPUBLISHED, outbox.c.publish_at <= clock.now())
        .order_by(outbox.c.publish_at)
        .limit(limit)
        .subquery()
    )
    found = tx.execute(
        select(first.c.task_id, _key_of(keys))
        .join_from(first, tasks, first.c.task_id == tasks.c.id)
        .where(_has_key(keys))
    ).all()
    return sum(_hold(tx, [row.task_id for row in found if row.key == key], key) for key in keys)


def _hold(tx: Connection, task_ids: Sequence[str], key: str) -> int:
    """Mark those of the rows that nobody else is at."""
    if not task_ids:
        return 0
    free = (
        select(outbox.c.task_id)
        .where(outbox.c.task_id.in_(task_ids), IS_UNPUBLISHED)
        .with_for_update(skip_locked=True)
    )
    ids = tx.execute(free).scalars().all()
    _mark(tx, ids, key)
    return len(ids)


def release(tx: Connection, limit: int) -> int:
    """Have up to so many rows be due again whose pause was ended; how many."""
    ended = tx.execute(
        select(pauses.c.key)
        .where(pauses.c.resumed_at.is_not(None))
        .with_for_update(skip_locked=True)
    ).scalars()
    return sum(_release(tx, key, limit) for key in ended.all())


def _release(tx: Connection, key: str, limit: int) -> int:
    is_held = outbox.c.held_by == key
    held = (
        select(outbox.c.task_id)
        .where(is_held)
        .order_by(outbox.c.publish_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = tx.execute(held).scalars().all()
    _mark(tx, ids, None)
    if len(ids) < limit:
        tx.execute(delete(pauses).where(pauses.c.key == key, ~exists().where(is_held)))
    return len(ids)


def _mark(tx: Connection, task_ids: Sequence[str], key: str | None) -> None:
    if task_ids:
        tx.execute(
            update(outbox)
            .where(outbox.c.task_id.in_(task_ids))
            .values(held_by=key, published_at=None)
        )


def _active_keys(tx: Connection) -> list[str]:
    """Of the pauses that hold, none of which can end before this transaction does.

    Whoever marked a row for a pause that is gone would leave it marked for ever.
    """
    active = select(pauses.c.key).where(pauses.c.resumed_at.is_(None))
    return list(tx.execute(active.with_for_update(read=True)).scalars())


def _has_key(keys: Sequence[str]) -> ColumnElement[bool]:
    return or_(_QUEUE_KEY.in_(keys), _TYPE_KEY.in_(keys))


def _key_of(keys: Sequence[str]) -> ColumnElement[str]:
    return case((_QUEUE_KEY.in_(keys), _QUEUE_KEY), else_=_TYPE_KEY).label("key")
