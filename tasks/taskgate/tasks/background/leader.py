"""Leader election: one process at a time does what all could do, by PostgreSQL's advisory locks."""

from __future__ import annotations

from sqlalchemy import Connection, text

SWEEPING = 0x7461736B73776570
"""The lock for sweeping; "taskswep" in ASCII."""

MIRRORING = 0x7461736B6D697272
"""The lock for mirroring; "taskmirr" in ASCII."""


def try_lock(tx: Connection, key: int) -> bool:
    """Take a lock of PostgreSQL's until the transaction ends; False if another process has it.

    ``tx``: of ``Database.write``; the others have no transaction that lasts.
    """
    lock = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(tx.execute(lock, {"key": key}).scalar_one())
