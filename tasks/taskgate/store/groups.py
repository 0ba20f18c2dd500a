"""Celery's saved group results."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from taskgate.store import clock
from taskgate.store.tables import groups


def save(tx: Connection, group_id: str, result: str) -> None:
    """Keep a group's result (JSON text), in place of an older one."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(groups).values(id=group_id, result=result, created_at=clock.now())
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"result": result}))


def restore(tx: Connection, group_id: str) -> str | None:
    """A group's saved result."""
    return tx.execute(select(groups.c.result).where(groups.c.id == group_id)).scalar_one_or_none()


def remove(tx: Connection, group_id: str) -> bool:
    """Forget a group's saved result; False if there was none."""
    return tx.execute(delete(groups).where(groups.c.id == group_id)).rowcount == 1


def with_prefix(tx: Connection, prefix: str) -> list[str]:
    """The ids of the saved groups that begin so."""
    return list(tx.execute(select(groups.c.id).where(groups.c.id.startswith(prefix))).scalars())
