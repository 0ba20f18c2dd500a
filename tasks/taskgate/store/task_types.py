"""The task types that workers know, so that a server can refuse what none of them could run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from taskgate.store import clock
from taskgate.store.tables import task_types


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
    text = json.dumps(dict(definition), sort_keys=True)
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    tx.execute(
        insert(task_types)
        .values(
            name=name,
            revision=1,
            definition=text,
            registered_at=clock.now(),
            registered_by=worker_id,
        )
        .on_conflict_do_nothing()
    )
    # The lock makes two workers that bring different definitions take turns.
    current = tx.execute(
        select(task_types.c.definition).where(task_types.c.name == name).with_for_update()
    ).scalar_one()
    if current == text:
        return None
    tx.execute(
        update(task_types)
        .where(task_types.c.name == name)
        .values(
            definition=text,
            revision=task_types.c.revision + 1,
            registered_at=clock.now(),
            registered_by=worker_id,
        )
    )
    replaced: Mapping[str, Any] = json.loads(current)
    return replaced


def all_of_them(tx: Connection) -> dict[str, TaskType]:
    """Every task type on record, by name."""
    rows = tx.execute(select(task_types).order_by(task_types.c.name))
    return {
        row.name: TaskType(
            name=row.name,
            revision=row.revision,
            definition=json.loads(row.definition),
            registered_at=row.registered_at,
            registered_by=row.registered_by,
        )
        for row in rows
    }
