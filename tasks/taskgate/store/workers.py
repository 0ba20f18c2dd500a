"""Workers, their leases, and what they are running according to the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from taskgate.store import clock
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.tables import state_in, tasks, workers

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
    """Record a worker that has just started, with its first lease."""
    tx.execute(
        insert(workers).values(
            id=worker_id,
            details=json.dumps(dict(details)),
            started_at=clock.now(),
            lease_expires_at=clock.in_(lease),
        )
    )


def renew(tx: Connection, worker_id: str, lease: timedelta) -> bool:
    """Prolong a lease; False if it was ended, by the worker itself or because it ran out."""
    won = tx.execute(
        update(workers)
        .where(workers.c.id == worker_id, HAS_LEASE)
        .values(lease_expires_at=clock.in_(lease))
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
    return None if row is None else _worker_from_row(row)


def all_of_them(tx: Connection) -> list[Worker]:
    """Every worker on record, the newest first."""
    return [_worker_from_row(row) for row in tx.execute(_SELECT)]


_SELECT = select(workers, clock.now().label("now")).order_by(workers.c.started_at.desc())


def _worker_from_row(row: Row[Any]) -> Worker:
    return Worker(
        id=row.id,
        details=json.loads(row.details),
        started_at=row.started_at,
        lease_expires_at=row.lease_expires_at,
        stopped_at=row.stopped_at,
        lost_at=row.lost_at,
        is_alive=_has_lease(row) and row.lease_expires_at > row.now,
    )


def _has_lease(row: Row[Any]) -> bool:
    return row.stopped_at is None and row.lost_at is None


def active_attempts(tx: Connection, worker_id: str) -> list[ActiveAttempt]:
    """What the record says the worker is running."""
    rows = tx.execute(
        select(
            tasks.c.id,
            tasks.c.attempt,
            tasks.c.state,
            tasks.c.abort_force_at,
            clock.now().label("now"),
        ).where(tasks.c.worker == worker_id, state_in(ACTIVE))
    )
    return [
        ActiveAttempt(
            task_id=row.id,
            attempt=row.attempt,
            state=State(row.state),
            force_at=row.abort_force_at,
            force_is_due=row.abort_force_at is not None and row.abort_force_at <= row.now,
        )
        for row in rows
    ]


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
