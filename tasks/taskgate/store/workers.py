"""Workers, their leases, and what they are running according to the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, select, update

from taskgate.store.database import clock
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.tables import insert_into, state_in, tasks, workers

HAS_LEASE = and_(workers.c.stopped_at.is_(None), workers.c.lost_at.is_(None))
"""The worker's lease was not ended, though it may have run out unnoticed."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process and its proof of life."""

    id: str
    details: Mapping[str, Any]
    """What the worker says about itself: host, pid, pool, concurrency, queues."""
    started_at: datetime
    lease_expires_at: datetime
    stopped_at: datetime | None
    """When it stopped by itself."""
    lost_at: datetime | None
    """When it was found dead."""
    counts: Mapping[str, int] | None
    """What it has counted since its start, when it last renewed its lease."""
    is_alive: bool
    """By the database's clock when it was read."""


@dataclass(frozen=True, slots=True)
class ActiveAttempt:
    """An attempt that the record says a worker is running."""

    task_id: str
    attempt: int
    state: State
    force_at: datetime | None
    """When the worker should end it by force."""
    force_is_due: bool


def start(tx: Connection, worker_id: str, details: Mapping[str, Any], lease: timedelta) -> None:
    """Record a worker that has just started, with its first lease. Repeating it is harmless."""
    statement = insert_into(tx, workers).values(
        id=worker_id,
        details=details,
        started_at=clock.now(),
        lease_expires_at=clock.in_(lease),
    )
    tx.execute(statement.on_conflict_do_nothing())


def renew(
    tx: Connection, worker_id: str, lease: timedelta, counts: Mapping[str, int] | None = None
) -> bool:
    """Prolong a lease; False if it was ended, by the worker itself or because it ran out.

    ``counts``: what the worker has counted since its start, for its metrics.
    """
    won = tx.execute(
        update(workers)
        .where(workers.c.id == worker_id, HAS_LEASE)
        .values(lease_expires_at=clock.in_(lease), counts=counts)
    )
    return won.rowcount == 1


def stop(tx: Connection, worker_id: str) -> bool:
    """End a lease; False if it had ended. A worker whose lease was ended claims nothing more."""
    won = tx.execute(
        update(workers)
        .where(workers.c.id == worker_id, HAS_LEASE)
        .values(stopped_at=clock.now(), lease_expires_at=clock.now())
    )
    return won.rowcount == 1


def find(tx: Connection, worker_id: str) -> Worker | None:
    """The worker with this id."""
    row = tx.execute(_SELECT.where(workers.c.id == worker_id)).one_or_none()
    return None if row is None else Worker(**row._asdict())


def list_all(tx: Connection) -> list[Worker]:
    """Every worker on record, the newest first."""
    return [Worker(**row._asdict()) for row in tx.execute(_SELECT)]


_IS_ALIVE = and_(HAS_LEASE, workers.c.lease_expires_at > clock.now())

_SELECT = select(workers, _IS_ALIVE.label("is_alive")).order_by(workers.c.started_at.desc())


def active_attempts(tx: Connection, worker_id: str) -> list[ActiveAttempt]:
    """What the record says the worker is running."""
    rows = tx.execute(_ACTIVE_ATTEMPTS, {"worker": worker_id})
    return [ActiveAttempt(**row._asdict()) for row in rows]


_FORCE_IS_DUE = and_(tasks.c.abort_force_at.is_not(None), tasks.c.abort_force_at <= clock.now())

_ACTIVE_ATTEMPTS = select(
    tasks.c.id.label("task_id"),
    tasks.c.attempt,
    tasks.c.state,
    tasks.c.abort_force_at.label("force_at"),
    _FORCE_IS_DUE.label("force_is_due"),
).where(tasks.c.worker == bindparam("worker"), state_in(ACTIVE))


def active_counts(tx: Connection) -> dict[str, int]:
    """How many tasks each worker runs according to the record; workers without any are left out."""
    rows = tx.execute(
        select(tasks.c.worker, func.count().label("number"))
        .where(tasks.c.state.in_(sorted(ACTIVE)), tasks.c.worker.is_not(None))
        .group_by(tasks.c.worker)
    )
    return {row.worker: row.number for row in rows}


def forget_stopped(tx: Connection, older_than: timedelta) -> int:
    """Delete workers whose lease ended that long ago; how many."""
    ended_at = func.coalesce(workers.c.stopped_at, workers.c.lost_at)
    gone = tx.execute(delete(workers).where(ended_at < clock.in_(-older_than)))
    return gone.rowcount
