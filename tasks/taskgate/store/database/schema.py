"""The schema's version: brought up to date by one command, checked by every program that starts."""

from __future__ import annotations

import logging
import threading
import time

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, String, column, inspect, select, table, text

from taskgate.store.database.engine import Database
from taskgate.store.errors import RecordLocked, SchemaOutdated
from taskgate.store.tables import schema as schema_table

logger = logging.getLogger(__name__)

VERSION_TABLE = "taskgate_alembic_version"
"""Not Alembic's own name: a user's migrations may live in the same database."""

_UPGRADE_LOCK = 0x7461736B67617465
"""PostgreSQL's advisory lock for upgrades; "taskgate" in ASCII."""

_LOCK_SECONDS = 2
"""How long an upgrade waits for whoever uses a table: so long all others wait behind it."""

_PAUSE_SECONDS = 1.0
"""For those others."""

_alembic = threading.Lock()
"""Alembic keeps the connection that it works on for all threads of a process."""


def upgrade(database: Database) -> None:
    """Create the tables or bring them up to date, in one transaction. Repeated, it changes nothing.

    Processes that upgrade one database at the same time take turns. While somebody's transaction
    uses a table, it is tried again and again. A newer taskgate's tables stay as they are.

    Raises:
        SchemaOutdated: a newer taskgate made the tables, and this one cannot work with them.
        StoreUnavailable: the database does not answer.
    """
    while True:
        try:
            return _upgrade(database)
        except RecordLocked:
            logger.warning("somebody's transaction uses a table: the upgrade is tried again")
            time.sleep(_PAUSE_SECONDS)


def _upgrade(database: Database) -> None:
    with database.write() as tx:
        if not database.is_sqlite:  # on SQLite, BEGIN IMMEDIATE is the lock
            # An upgrade waits for as long as another one takes.
            tx.execute(text("SET LOCAL lock_timeout = 0"))
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            tx.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        if _is_newer(tx, _current(tx)):
            return
        with _alembic:
            command.upgrade(_config(tx), "head")


def check(database: Database) -> str:
    """Make sure that this taskgate can work with the tables; their revision.

    Raises:
        SchemaOutdated: they are missing, older or too new; the message says what to run.
        StoreUnavailable: the database does not answer.
    """
    with database.read() as tx:
        current = _current(tx)
        if _is_newer(tx, current):
            return str(current)
    if current is None or current != needed_revision():
        found = "has no taskgate tables" if current is None else f"is at revision {current}"
        raise SchemaOutdated(
            f"the database {found}, and this taskgate needs revision {needed_revision()}: "
            "run `taskgate db upgrade`"
        )
    return current


def needed_revision() -> str:
    """The revision of the tables that this taskgate was written for."""
    return str(_scripts().get_current_head())


def _is_newer(tx: Connection, current: str | None) -> bool:
    """Whether the tables are a newer taskgate's, and this one can work with them.

    Raises:
        SchemaOutdated: they are newer, and it cannot.
    """
    known = {script.revision for script in _scripts().walk_revisions()}
    if current is None or current in known:
        return False
    if tx.execute(select(schema_table.c.usable_from)).scalar_one() <= needed_revision():
        logger.info("the tables are a newer taskgate's, at revision %s", current)
        return True
    raise SchemaOutdated(
        f"the database is at revision {current}, which this taskgate, at {needed_revision()}, is "
        "too old for: install the one that made it"
    )


def _current(tx: Connection) -> str | None:
    # Alembic's MigrationContext would write two lines into the log of each worker that starts.
    if not inspect(tx).has_table(VERSION_TABLE):
        return None
    statement = select(column("version_num", String)).select_from(table(VERSION_TABLE))
    return tx.execute(statement).scalar_one_or_none()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config(tx: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "taskgate.store:migrations")
    config.attributes["connection"] = tx
    return config
