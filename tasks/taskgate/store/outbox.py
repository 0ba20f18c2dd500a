"""The outbox: what still has to be published.

A publisher takes a row by moving its time on, publishes, and deletes the row. If it dies in between
the row comes due again and another publisher takes it; the claim makes the second message harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select, update

from taskgate.store import clock
from taskgate.store.lifecycle import DUE, State
from taskgate.store.record import Task, from_row
from taskgate.store.tables import outbox, tasks

FIRST_HOLD = timedelta(seconds=5)
LONGEST_HOLD = timedelta(minutes=5)


def hold(tries: int) -> timedelta:
    """How long the ``tries``-th publisher of a row has it to itself, doubling with each try."""
    doublings = min(tries - 1, 20)
    return min(FIRST_HOLD * (1 << doublings), LONGEST_HOLD)


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to publish: the task as recorded, and which holding of its outbox row this is."""

    task: Task
    tries: int


def put(tx: Connection, task_id: str, attempt: int, delay: timedelta) -> None:
    """Have the attempt published after ``delay``, in place of what the outbox had of the task."""
    remove(tx, task_id)
    tx.execute(
        insert(outbox).values(
            task_id=task_id, attempt=attempt, publish_at=clock.in_(delay), tries=0
        )
    )


def remove(tx: Connection, task_id: str) -> None:
    """Have nothing published of the task."""
    tx.execute(delete(outbox).where(outbox.c.task_id == task_id))


def take_due(tx: Connection, limit: int) -> list[Publication]:
    """Take due rows, oldest first, make their tasks QUEUED, and hold them for publishing.

    Rows whose task moved on (aborted, expired, claimed) are dropped.
    """
    due = _lock_due(tx, limit)
    live = [row for row in due if _waits(row)]
    gone = [row["id"] for row in due if not _waits(row)]
    if gone:
        tx.execute(delete(outbox).where(outbox.c.task_id.in_(gone)))
    taken = [Publication(_queued(from_row(Task, row)), row["tries"] + 1) for row in live]
    _make_queued(tx, [row["id"] for row in live if row["state"] in DUE.sources])
    _hold(tx, taken)
    return taken


def forget(tx: Connection, published: Iterable[Publication]) -> None:
    """Delete the rows of what was published, unless someone else has taken or replaced them."""
    for held in _holdings(published):
        tx.execute(delete(outbox).where(*held))


def release(tx: Connection, unpublished: Iterable[Publication], delay: timedelta) -> None:
    """Have what could not be published tried again after ``delay``."""
    for held in _holdings(unpublished):
        tx.execute(update(outbox).where(*held).values(publish_at=clock.in_(delay)))


def seconds_until_due(tx: Connection) -> float | None:
    """Seconds until the next row is due, negative if it is over; None if the outbox is empty."""
    next_due: datetime | None = tx.execute(
        select(outbox.c.publish_at).order_by(outbox.c.publish_at).limit(1)
    ).scalar_one_or_none()
    if next_due is None:
        return None
    return (next_due - clock.read(tx)).total_seconds()


def _lock_due(tx: Connection, limit: int) -> Sequence[RowMapping]:
    # Task and outbox row are locked together, or skipped where someone else has either: transitions
    # lock the task before its outbox row, so to hold one and wait for the other is a deadlock.
    due = (
        select(tasks, outbox.c.attempt.label("due_attempt"), outbox.c.tries.label("tries"))
        .join_from(outbox, tasks, outbox.c.task_id == tasks.c.id)
        .where(outbox.c.publish_at <= clock.now())
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
            .values(state=DUE.target, version=tasks.c.version + 1, queued_at=clock.now())
        )


def _hold(tx: Connection, taken: Sequence[Publication]) -> None:
    for tries in {publication.tries for publication in taken}:
        ids = [publication.task.id for publication in taken if publication.tries == tries]
        tx.execute(
            update(outbox)
            .where(outbox.c.task_id.in_(ids))
            .values(tries=tries, publish_at=clock.in_(hold(tries)))
        )


def _holdings(publications: Iterable[Publication]) -> Iterable[list[ColumnElement[bool]]]:
    """The outbox rows that are still held as the publications say, as conditions, in few groups."""
    groups: dict[tuple[int, int], list[str]] = {}
    for publication in publications:
        key = (publication.task.attempt, publication.tries)
        groups.setdefault(key, []).append(publication.task.id)
    for (attempt, tries), ids in groups.items():
        yield [outbox.c.task_id.in_(ids), outbox.c.attempt == attempt, outbox.c.tries == tries]
