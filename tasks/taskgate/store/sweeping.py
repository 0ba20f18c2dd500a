"""Finding what nobody is looking after: dead workers' tasks, lost messages, what is over.

Every function does one bounded step in the transaction that it is given and says what it did, so
that a sweep never holds locks for long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, update

from taskgate.store import clock, outbox, transitions
from taskgate.store.forgetting import delete_records
from taskgate.store.lifecycle import ACTIVE, WAITING, Reason, State
from taskgate.store.record import Failure
from taskgate.store.tables import outbox as outbox_table
from taskgate.store.tables import state_in, tasks, workers
from taskgate.store.workers import HAS_LEASE

FIRST_PATIENCE = timedelta(seconds=10)
"""How long a published task may stay unclaimed before its message can be taken for lost."""

MOST_DOUBLINGS = 8
"""The patience with a task doubles with each dispatch, so often at most."""

OVERTAKING_MARGIN = timedelta(seconds=2)
"""By how much a claimed task must be younger to say that it overtook another one."""

RECENTLY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Orphan:
    """An attempt that the record says is running on a worker that no longer has a lease."""

    task_id: str
    attempt: int
    task_type: str
    worker: str


@dataclass(frozen=True, slots=True)
class Lane:
    """Tasks of one queue and priority, which a broker delivers in their order."""

    queue: str
    priority: int


def end_lost_leases(tx: Connection) -> list[str]:
    """End the leases that ran out; the ids of their workers."""
    lost = tx.execute(
        update(workers)
        .where(HAS_LEASE, workers.c.lease_expires_at <= clock.now())
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
    return [task_id for task_id in overdue.scalars().all() if transitions.expire(tx, task_id)]


def impatient_queues(tx: Connection) -> list[str]:
    """The queues with tasks that have waited long enough for their messages to be looked for."""
    rows = tx.execute(
        select(tasks.c.queue).where(tasks.c.state == State.QUEUED, _patience_is_over()).distinct()
    )
    return list(rows.scalars())


def overtaken(tx: Connection) -> dict[Lane, datetime]:
    """For each lane the time when the youngest task was queued that has started lately."""
    started_lately = or_(state_in(ACTIVE), tasks.c.finished_at > clock.in_(-RECENTLY))
    rows = tx.execute(
        select(tasks.c.queue, tasks.c.priority, func.max(tasks.c.queued_at).label("youngest"))
        .where(started_lately, tasks.c.started_at.is_not(None), tasks.c.queued_at.is_not(None))
        .group_by(tasks.c.queue, tasks.c.priority)
    )
    return {Lane(row.queue, row.priority): row.youngest for row in rows}


def dispatch_again(
    tx: Connection,
    empty_queues: Collection[str],
    overtaken_lanes: Mapping[Lane, datetime],
    limit: int,
) -> list[str]:
    """Put tasks into the outbox again whose messages seem to be lost; their ids.

    A message seems to be lost when its task has waited long, and its queue is empty at the broker
    or younger tasks of its lane, or of a less urgent one, have started. A wrong guess costs a
    duplicate, which the claim makes harmless; the patience with a task doubles each time, so a
    backlog is never multiplied.
    """
    conditions = _seem_lost(empty_queues, overtaken_lanes)
    if not conditions:
        return []
    rows = tx.execute(
        select(tasks.c.id, tasks.c.attempt)
        .where(
            tasks.c.state == State.QUEUED,
            or_(*conditions),
            _patience_is_over(),
            ~exists().where(outbox_table.c.task_id == tasks.c.id),
        )
        .order_by(tasks.c.queued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        outbox.put(tx, row.id, row.attempt, timedelta(0))
    ids = [row.id for row in rows]
    tx.execute(
        update(tasks)
        .where(tasks.c.id.in_(ids))
        .values(queued_at=clock.now(), redispatches=tasks.c.redispatches + 1)
    )
    return ids


def delete_final(tx: Connection, older_than: timedelta, limit: int) -> int:
    """Delete tasks that ended that long ago, with their history; how many."""
    ids = (
        tx.execute(
            select(tasks.c.id)
            .where(tasks.c.finished_at < clock.in_(-older_than))
            .order_by(tasks.c.finished_at)
            .limit(limit)
        )
        .scalars()
        .all()
    )
    delete_records(tx, ids)
    return len(ids)


def _seem_lost(
    empty_queues: Collection[str], overtaken_lanes: Mapping[Lane, datetime]
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        and_(
            tasks.c.queue == lane.queue,
            tasks.c.priority >= lane.priority,
            tasks.c.queued_at < youngest - OVERTAKING_MARGIN,
        )
        for lane, youngest in overtaken_lanes.items()
    ]
    if empty_queues:
        conditions.append(tasks.c.queue.in_(sorted(empty_queues)))
    return conditions


def _patience_is_over() -> ColumnElement[bool]:
    return or_(
        *(
            and_(
                tasks.c.redispatches == doublings
                if doublings < MOST_DOUBLINGS
                else tasks.c.redispatches >= doublings,
                tasks.c.queued_at < clock.in_(-FIRST_PATIENCE * 2**doublings),
            )
            for doublings in range(MOST_DOUBLINGS + 1)
        )
    )
