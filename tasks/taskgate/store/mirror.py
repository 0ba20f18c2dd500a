"""What a mirror of the record still has to be told.

The mirror follows the times at which tasks ended. Transactions do not commit in the order of the
times that they write, so a mirror looks back a little at each step, and knows what it told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, union_all, update

from taskgate.store.database import clock
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.tables import insert_into, mirrors, state_in, tasks

LOOK_BACK = timedelta(seconds=10)
"""Longer than any transaction of ours takes from its first statement to its commit."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A task that ended."""

    task_id: str
    finished_at: datetime


def position(tx: Connection, name: str) -> datetime:
    """Up to when the mirror has been told of all ends; from now on, for a new mirror."""
    new = insert_into(tx, mirrors).values(name=name, told_until=clock.now())
    tx.execute(new.on_conflict_do_nothing())
    told_until: datetime = tx.execute(
        select(mirrors.c.told_until).where(mirrors.c.name == name)
    ).scalar_one()
    return told_until


def move(tx: Connection, name: str, told_until: datetime) -> None:
    """Remember how far the mirror has been told."""
    tx.execute(update(mirrors).where(mirrors.c.name == name).values(told_until=told_until))


def lag(tx: Connection, name: str) -> timedelta:
    """For how long the oldest end has waited that the mirror was not told of."""
    told_until = select(mirrors.c.told_until).where(mirrors.c.name == name).scalar_subquery()
    untold = select(tasks.c.finished_at).where(tasks.c.finished_at > told_until)
    oldest = tx.execute(untold.order_by(tasks.c.finished_at).limit(1)).scalar()
    return timedelta(0) if oldest is None else max(clock.read(tx) - oldest, timedelta(0))


def ended_since(tx: Connection, told_until: datetime, limit: int) -> list[Ended]:
    """Tasks that ended since shortly before the time, in the order of their ends."""
    rows = tx.execute(
        select(tasks.c.id, tasks.c.finished_at)
        .where(tasks.c.finished_at >= told_until - LOOK_BACK)
        .order_by(tasks.c.finished_at, tasks.c.id)
        .limit(limit)
    )
    return [Ended(row.id, row.finished_at) for row in rows]


def started(tx: Connection, limit: int) -> dict[str, int]:
    """The versions of tasks that have started and not ended."""
    some = select(tasks.c.id, tasks.c.version)
    # Two, for each has an index, and one for both would be the whole table's.
    started = union_all(
        some.where(state_in(ACTIVE)), some.where(tasks.c.state == State.RETRYING)
    ).limit(limit)
    rows = tx.execute(started)
    return {row.id: row.version for row in rows}
