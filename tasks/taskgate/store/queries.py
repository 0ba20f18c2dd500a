"""Reading the record."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Select,
    bindparam,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSON

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


def _newer(dialect: str) -> Select[Any]:
    """Of a JSON object of versions by id, given as one parameter, those that are not the newest."""
    seen = cast(bindparam("seen"), JSON) if dialect == "postgresql" else bindparam("seen")
    each = func.json_each_text if dialect == "postgresql" else func.json_each
    given = each(seen).table_valued("key", "value")
    version = cast(given.c.value, BigInteger)
    if dialect == "postgresql":
        # One by one by the key: PostgreSQL takes a JSON text for a hundred rows, however long.
        same_id = tasks.c.id == cast(given.c.key, tasks.c.id.type)
        found = select(tasks.c.version).where(same_id).limit(1).lateral()
        rows = given.outerjoin(found, true())
        newest = found.c.version
    else:
        rows = given.outerjoin(tasks, tasks.c.id == given.c.key)
        newest = tasks.c.version
    return (
        select(given.c.key, newest.label("version"))
        .select_from(rows)
        .where(or_(newest.is_(None), newest > version))
    )


_NEWER = {dialect: _newer(dialect) for dialect in ("postgresql", "sqlite")}
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


def lockable(tx: Connection, task_ids: Collection[str]) -> set[str]:
    """Which of the records no other transaction has changed or locked just now."""
    wanted = select(tasks.c.id).where(tasks.c.id.in_(task_ids)).order_by(tasks.c.id)
    return set(tx.execute(wanted.with_for_update(skip_locked=True)).scalars())


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


def newer(tx: Connection, seen: Mapping[str, int]) -> dict[str, int | None]:
    """Of the versions seen, by ids, the newer ones; None for ids without a record.

    What has not changed, which is nearly all that is watched, is not fetched.
    """
    rows = tx.execute(_NEWER[tx.dialect.name], {"seen": json.dumps(dict(seen))})
    return {row.key: row.version for row in rows}


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
