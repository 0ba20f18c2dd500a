"""The task types that workers know, so that a server can refuse what none of them could run."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from taskgate.store.database import clock
from taskgate.store.record import from_row
from taskgate.store.tables import insert_into, task_types


@dataclass(frozen=True, slots=True)
class TaskType:
    """A task type as the last worker that changed it registered it."""

    name: str
    revision: int
    """Raised by one with every change of the definition."""
    definition: Mapping[str, Any]
    """What workers say about the type: its doc, queue, options, parameters."""
    registered_at: datetime
    registered_by: str


def register(
    tx: Connection, name: str, definition: Mapping[str, Any], worker_id: str
) -> Mapping[str, Any] | None:
    """Record a task type; the definition that it replaces, if that was another one.

    Who registers several in one transaction does it in the order of their names: two that lock
    them in different orders would block each other.
    """
    tx.execute(
        insert_into(tx, task_types)
        .values(
            name=name,
            revision=1,
            definition=definition,
            registered_at=clock.now(),
            registered_by=worker_id,
        )
        .on_conflict_do_nothing()
    )
    # The lock makes two workers that bring different definitions take turns.
    current: Mapping[str, Any] = tx.execute(
        select(task_types.c.definition).where(task_types.c.name == name).with_for_update()
    ).scalar_one()
    if _text(current) == _text(definition):
        return None
    tx.execute(
        update(task_types)
        .where(task_types.c.name == name)
        .values(
            definition=definition,
            revision=task_types.c.revision + 1,
            registered_at=clock.now(),
            registered_by=worker_id,
        )
    )
    return current


def _text(definition: Mapping[str, Any]) -> str:
    """What tells 1, 1.0 and True apart, which Python calls equal."""
    return json.dumps(definition, sort_keys=True)


def by_name(tx: Connection, names: Collection[str] | None = None) -> dict[str, TaskType]:
    """Task types on record, all or those with the names, in the order of their names."""
    statement = select(task_types).order_by(task_types.c.name)
    if names is not None:
        statement = statement.where(task_types.c.name.in_(names))
    rows = tx.execute(statement).mappings()
    return {row["name"]: from_row(TaskType, row) for row in rows}
