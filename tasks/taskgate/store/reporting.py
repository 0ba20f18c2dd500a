"""Who reports: of several servers, the one that says what must not be said twice."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, or_, update

from taskgate.store.database import clock
from taskgate.store.tables import insert_into, reporters


def take(tx: Connection, name: str, server: str, lease: timedelta) -> bool:
    """Be the one that reports, for so long; False if another server is."""
    new = insert_into(tx, reporters).values(
        name=name, server=server, lease_expires_at=clock.in_(lease)
    )
    is_free = or_(reporters.c.server == server, reporters.c.lease_expires_at <= clock.now())
    taken = tx.execute(
        new.on_conflict_do_update(
            index_elements=["name"],
            set_={"server": server, "lease_expires_at": clock.in_(lease)},
            where=is_free,
        ).returning(reporters.c.server)
    )
    return taken.first() is not None


def leave(tx: Connection, name: str, server: str) -> None:
    """Have another server report, if this one does."""
    tx.execute(
        update(reporters)
        .where(reporters.c.name == name, reporters.c.server == server)
        .values(lease_expires_at=clock.now())
    )
