"""The outbox: what still has to be published.

A publisher takes a row by moving its time on, publishes, and deletes the row. If it dies in between
the row comes due again and another publisher takes it; the claim makes the second message harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, and_, delete, or_, select, update

from taskgate.store import clock
from taskgate.store.lifecycle import DUE, State
from taskgate.store.record import Task, task_from_row
from taskgate.store.tables import outbox, tasks

FIRST_HOLD = timedelta(seconds=5)
LONGEST_HOLD = timedelta(minutes=5)


def hold(tries: int) -> timedelta:
    """How long the ``tries``-th publisher of a row has it to itself, doubling with each try."""
    return min(FIRST_HOLD * 2 ** min(tries - 1, 20), LONGEST_HOLD)


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to publish: the task as recorded, and which holding of its outbox row this is."""

    task: Task
    tries: int


def put(tx: Connection, task_id: str, attempt: int, delay: timedelta) -> None:
    """Have the attempt published after ``delay``, whatever was to be published of the task before."""
    remove(tx, task_id)
    tx.execute(
        outbox.insert().values(
            task_id=task_id, attempt=attempt, publish_at=clock.in_(delay), tries=0
        )
    )


def remove(tx: Connection, task_id: str) -> None:
    """Have nothing published of the task."""
    tx.execute(delete(outbox).where(outbox.c.task_id == task_id))


def take_due(tx: Connection, limit: int) -> list[Publication]:
    """Take due rows, oldest first, make their tasks QUEUED, and hold them for publishing.

    Rows whose task moved on (aborted, expired, deleted) are dropped.
    """
    due = tx.execute(
        select(outbox.c.task_id, outbox.c.attempt, outbox.c.tries)
        .where(outbox.c.publish_at <= clock.now())
        .order_by(outbox.c.publish_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not due:
        return []
    ids = [row.task_id for row in due]
    _make_queued(tx, ids)
    rows = tx.execute(
        select(tasks).where(tasks.c.id.in_(ids), tasks.c.state == State.QUEUED)
    ).mappings()
    queued = {row["id"]: task_from_row(row) for row in rows}
    live = [
        Publication(queued[row.task_id], row.tries + 1)
        for row in due
        if row.task_id in queued and queued[row.task_id].attempt == row.attempt
    ]
    _hold(tx, live)
    kept = {publication.task.id for publication in live}
    tx.execute(delete(outbox).where(outbox.c.task_id.in_([i for i in ids if i not in kept])))
    return live


def forget(tx: Connection, published: Iterable[Publication]) -> None:
    """Delete the rows of what was published, unless someone else has taken or replaced them."""
    by_tries: dict[tuple[int, int], list[str]] = {}
    for publication in published:
        key = (publication.task.attempt, publication.tries)
        by_tries.setdefault(key, []).append(publication.task.id)
    for (attempt, tries), ids in by_tries.items():
        tx.execute(
            delete(outbox).where(
                outbox.c.task_id.in_(ids), outbox.c.attempt == attempt, outbox.c.tries == tries
            )
        )


def release(tx: Connection, unpublished: Sequence[Publication], delay: timedelta) -> None:
    """Have what could not be published tried again after ``delay``."""
    held = [and_(outbox.c.task_id == p.task.id, outbox.c.tries == p.tries) for p in unpublished]
    if held:
        tx.execute(update(outbox).where(or_(*held)).values(publish_at=clock.in_(delay)))


def seconds_until_due(tx: Connection) -> float | None:
    """Seconds until the next row is due, negative if it is over; None if the outbox is empty."""
    next_due = tx.execute(
        select(outbox.c.publish_at).order_by(outbox.c.publish_at).limit(1)
    ).scalar_one_or_none()
    if next_due is None:
        return None
    return (next_due - clock.read(tx)).total_seconds()


def _make_queued(tx: Connection, ids: list[str]) -> None:
    tx.execute(
        update(tasks)
        .where(tasks.c.id.in_(ids), tasks.c.state.in_(DUE.sources))
        .values(state=DUE.target, version=tasks.c.version + 1, queued_at=clock.now())
    )


def _hold(tx: Connection, publications: list[Publication]) -> None:
    by_tries: dict[int, list[str]] = {}
    for publication in publications:
        by_tries.setdefault(publication.tries, []).append(publication.task.id)
    for tries, ids in by_tries.items():
        tx.execute(
            update(outbox)
            .where(outbox.c.task_id.in_(ids))
            .values(tries=tries, publish_at=clock.in_(hold(tries)))
        )
