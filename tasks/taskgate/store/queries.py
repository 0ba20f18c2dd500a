"""Reading the record."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from taskgate.store.errors import TaskNotFound
from taskgate.store.record import Attempt, Task, attempt_from_row, task_from_row
from taskgate.store.tables import attempts, tasks


def get(tx: Connection, task_id: str) -> Task:
    """The task with its past attempts.

    Raises:
        TaskNotFound: there is no such record.
    """
    found = get_many(tx, [task_id])
    if task_id not in found:
        raise TaskNotFound(task_id)
    return found[task_id]


def get_many(tx: Connection, task_ids: Collection[str]) -> dict[str, Task]:
    """The tasks by id, with their past attempts; ids without a record are left out."""
    rows = tx.execute(select(tasks).where(tasks.c.id.in_(task_ids))).mappings().all()
    past = _past_attempts(tx, [row["id"] for row in rows if row["attempt"] > 1])
    return {row["id"]: task_from_row(row, past.get(row["id"], ())) for row in rows}


def versions(tx: Connection, task_ids: Collection[str]) -> dict[str, int]:
    """The records' versions by id; ids without a record are left out."""
    rows = tx.execute(select(tasks.c.id, tasks.c.version).where(tasks.c.id.in_(task_ids)))
    return {row.id: row.version for row in rows}


def _past_attempts(tx: Connection, task_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    if not task_ids:
        return {}
    rows = tx.execute(
        select(attempts)
        .where(attempts.c.task_id.in_(task_ids))
        .order_by(attempts.c.task_id, attempts.c.number)
    ).mappings()
    past: dict[str, list[Attempt]] = {}
    for row in rows:
        past.setdefault(row["task_id"], []).append(attempt_from_row(row))
    return past
