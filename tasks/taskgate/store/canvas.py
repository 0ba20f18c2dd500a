"""What a Celery message carries beyond the record's own columns, as JSON text."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from taskgate.store.tables import tasks


def read(tx: Connection, task_id: str) -> str | None:
    """``Task.message``."""
    return tx.execute(select(tasks.c.message).where(tasks.c.id == task_id)).scalar_one_or_none()


def write(tx: Connection, task_id: str, message: str) -> None:
    """Replace ``Task.message``, which is of no interest to those who wait for a new version."""
    tx.execute(update(tasks).where(tasks.c.id == task_id).values(message=message))
