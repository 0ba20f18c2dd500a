"""Finding what nobody is looking after: dead workers' tasks, what has expired, what is old.

Every function does one bounded step in the transaction that it is given and says what it did, so
that a sweep never holds locks for long.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from taskgate.store import transitions
from taskgate.store.chords import IS_PART
from taskgate.store.database import clock
from taskgate.store.lifecycle import ACTIVE, FINAL, WAITING, Reason, State
from taskgate.store.record import Failure
from taskgate.store.tables import attempts, labels, logs, outbox, state_in, tasks, workers
from taskgate.store.workers import HAS_LEASE


@dataclass(frozen=True, slots=True)
class Orphan:
    """An attempt that the record says is running on a worker that no longer has a lease."""

    task_id: str
    attempt: int
    task_type: str
    worker: str


# The formal model's step EndLease.
def end_lost_leases(tx: Connection, spared: str | None = None) -> list[str]:
    """End the leases that ran out; the ids of their workers.

    ``spared``: a worker that is known to live, though it may be late.
    """
    lost = tx.execute(
        update(workers)
        .where(HAS_LEASE, workers.c.lease_expires_at <= clock.now(), workers.c.id != (spared or ""))
        .values(lost_at=clock.now())
        .returning(workers.c.id)
    )
    return list(lost.scalars())


def orphans(tx: Connection, limit: int) -> list[Orphan]:
    """Attempts whose worker had a lease, and has none any more.

    A stock Celery worker that writes to the record has no agent and never had a lease: nobody can
    tell whether it lives, and its tasks are left alone.
    """
    rows = tx.execute(
        select(tasks.c.id, tasks.c.attempt, tasks.c.task_type, tasks.c.worker)
        .join_from(tasks, workers, tasks.c.worker == workers.c.id)
        .where(state_in(ACTIVE), ~HAS_LEASE)
        .limit(limit)
    )
    return [Orphan(row.id, row.attempt, row.task_type, row.worker) for row in rows]


# The formal model's step Rescue.
def put_back(tx: Connection, orphan: Orphan, max_losses: int) -> bool:
    """Have the orphan's task run again, or fail it if it lost ``max_losses`` workers before."""
    failure = Failure(
        reason=Reason.WORKER_LOST,
        message=f"worker {orphan.worker} died while it ran attempt {orphan.attempt}",
    )
    return transitions.lose(tx, orphan.task_id, orphan.attempt, failure, max_losses=max_losses)


def expire_overdue(tx: Connection, limit: int) -> list[str]:
    """Expire waiting tasks whose time is over; their ids."""
    overdue = tx.execute(
        select(tasks.c.id)
        .where(
            tasks.c.expires_at.is_not(None),
            tasks.c.expires_at <= clock.now(),
            state_in(WAITING),
        )
        .order_by(tasks.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return transitions.expire_many(tx, overdue.scalars().all())


def delete_final(tx: Connection, older_than: timedelta, limit: int) -> int:
    """Delete tasks that ended that long ago, with their history; how many.

    What a chord waits for stays until the chord has its results.
    """
    ids = (
        tx.execute(
            select(tasks.c.id)
            .where(tasks.c.finished_at < clock.in_(-older_than), ~IS_PART)
            .order_by(tasks.c.finished_at)
            .limit(limit)
        )
        .scalars()
        .all()
    )
    delete_records(tx, ids)
    return len(ids)


def forget(tx: Connection, task_id: str) -> bool:
    """Delete the record of a final task; False if there is none, or if a chord waits for it."""
    may_go = tasks.c.state.in_(sorted(FINAL)) & ~IS_PART
    found = tx.execute(select(tasks.c.id).where(tasks.c.id == task_id, may_go)).first()
    if found is not None:
        delete_records(tx, [task_id])
    return found is not None


def delete_many(tx: Connection, task_ids: Collection[str]) -> tuple[set[str], dict[str, State]]:
    """Delete final tasks that no chord waits for; their ids, and the states of those that stay."""
    found = tx.execute(
        select(tasks.c.id, tasks.c.state, IS_PART.label("is_part"))
        .where(tasks.c.id.in_(task_ids))
        .order_by(tasks.c.id)
        .with_for_update()
    ).all()
    gone = {row.id for row in found if row.state in FINAL and not row.is_part}
    delete_records(tx, gone)
    return gone, {row.id: row.state for row in found if row.id not in gone}


def delete_records(tx: Connection, task_ids: Collection[str]) -> None:
    """Delete records with all that belongs to them, whatever their state."""
    for column in (
        attempts.c.task_id,
        labels.c.task_id,
        logs.c.task_id,
        outbox.c.task_id,
        tasks.c.id,
    ):
        tx.execute(delete(column.table).where(column.in_(task_ids)))
