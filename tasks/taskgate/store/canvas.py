"""What Celery's canvas keeps in the record: saved groups, and what messages carry."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from taskgate.store.database import clock
from taskgate.store.tables import groups, insert_into, tasks


def save_group(tx: Connection, group_id: str, result: str) -> None:
    """Keep a group's result (JSON text), in place of an older one."""
    statement = insert_into(tx, groups).values(id=group_id, result=result, created_at=clock.now())
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"result": result}))


def restore_group(tx: Connection, group_id: str) -> str | None:
    """A group's saved result."""
    return tx.execute(select(groups.c.result).where(groups.c.id == group_id)).scalar_one_or_none()


def remove_group(tx: Connection, group_id: str) -> bool:
    """Forget a group's saved result; False if there was none."""
    return tx.execute(delete(groups).where(groups.c.id == group_id)).rowcount == 1


def delete_old_groups(tx: Connection, older_than: timedelta) -> int:
    """Forget the groups that were saved that long ago; how many."""
    is_old = groups.c.created_at < clock.in_(-older_than)
    return tx.execute(delete(groups).where(is_old)).rowcount


def message(tx: Connection, task_id: str) -> str | None:
    """``Task.message``."""
    return tx.execute(select(tasks.c.message).where(tasks.c.id == task_id)).scalar_one_or_none()


def set_message(tx: Connection, task_id: str, message: str) -> None:
    """Replace ``Task.message``; the version stays, for nobody waits for this."""
    tx.execute(update(tasks).where(tasks.c.id == task_id).values(message=message))
