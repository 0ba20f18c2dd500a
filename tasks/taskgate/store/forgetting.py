"""Deleting records, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from taskgate.store.lifecycle import FINAL
from taskgate.store.tables import attempts, labels, outbox, tasks


def forget(tx: Connection, task_id: str) -> bool:
    """Delete the record of a final task; False if there is none."""
    found = tx.execute(
        select(tasks.c.id).where(tasks.c.id == task_id, tasks.c.state.in_(sorted(FINAL)))
    ).first()
    if found is not None:
        delete_records(tx, [task_id])
    return found is not None


def delete_records(tx: Connection, task_ids: Collection[str]) -> None:
    """Delete records, whatever their state."""
    tx.execute(delete(attempts).where(attempts.c.task_id.in_(task_ids)))
    tx.execute(delete(labels).where(labels.c.task_id.in_(task_ids)))
    tx.execute(delete(outbox).where(outbox.c.task_id.in_(task_ids)))
    tx.execute(delete(tasks).where(tasks.c.id.in_(task_ids)))
