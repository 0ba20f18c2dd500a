"""Reading the record."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, select

from taskgate.store.errors import TaskNotFound
from taskgate.store.lifecycle import State
from taskgate.store.record import RECORDED, Attempt, Task, from_row
from taskgate.store.tables import attempts, tasks

_UUID_PREFIX = re.compile(r"[0-9a-f]{8}-[0-9a-f-]*")

_IDS_AT_ONCE = 5_000
"""SQLite takes at most 32,766 parameters in a statement."""

# Built once: building a statement costs more than running it.
_IDS: BindParameter[Sequence[str]] = bindparam("ids", expanding=True)
_TASKS: Select[Any] = select(*(tasks.c[name] for name in RECORDED)).where(tasks.c.id.in_(_IDS))
_VERSIONS = select(tasks.c.id, tasks.c.version).where(tasks.c.id.in_(_IDS))
_PAST_ATTEMPTS = (
    select(attempts)
    .where(attempts.c.task_id.in_(_IDS))
    .order_by(attempts.c.task_id, attempts.c.number)
)
_RUNNING = select(tasks.c.id).where(
    tasks.c.id == bindparam("id"),
    tasks.c.attempt == bindparam("attempt"),
    tasks.c.state == State.RUNNING,
)


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
    rows = [row for some in _some_at_once(task_ids) for row in tx.execute(_TASKS, {"ids": some})]
    past = _past_attempts(tx, {row.id: row.attempt for row in rows if row.attempt > 1})
    return {row.id: Task(*row, *[tuple(past.get(row.id, ()))]) for row in rows}


def ids_beginning_with(tx: Connection, prefix: str, most: int) -> list[str]:
    """Ids of tasks that begin so, at most so many; quick where it is the beginning of a UUID."""
    statement = select(tasks.c.id).where(func.substr(tasks.c.id, 1, len(prefix)) == prefix)
    if _UUID_PREFIX.match(prefix):
        # For the index; a "z" is after all that a UUID can go on with, in any collation.
        statement = statement.where(tasks.c.id.between(prefix, f"{prefix}z"))
    return list(tx.execute(statement.order_by(tasks.c.id).limit(most)).scalars())


def versions(tx: Connection, task_ids: Collection[str]) -> dict[str, int]:
    """The records' versions by id; ids without a record are left out."""
    return {
        row.id: row.version
        for some in _some_at_once(task_ids)
        for row in tx.execute(_VERSIONS, {"ids": some})
    }


def may_go_on(tx: Connection, task_id: str, attempt: int) -> bool:
    """Whether the attempt is still the one that runs, and nobody asked it to stop."""
    return tx.execute(_RUNNING, {"id": task_id, "attempt": attempt}).first() is not None


def _past_attempts(tx: Connection, current: dict[str, int]) -> dict[str, list[Attempt]]:
    past: dict[str, list[Attempt]] = {}
    for some in _some_at_once(current):
        rows = tx.execute(_PAST_ATTEMPTS, {"ids": some}).mappings()
        for row in rows:
            # The current attempt of the record as we read it may have ended since.
            if row["number"] < current[row["task_id"]]:
                past.setdefault(row["task_id"], []).append(from_row(Attempt, row))
    return past


def _some_at_once(task_ids: Collection[str]) -> Iterator[Sequence[str]]:
    ids = list(task_ids)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]
