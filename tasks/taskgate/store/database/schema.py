"""The schema's version: brought up to date by one command, checked by every program that starts."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, String, column, inspect, select, table, text

from taskgate.store.database.engine import Database
from taskgate.store.errors import SchemaOutdated

VERSION_TABLE = "taskgate_alembic_version"
"""Not Alembic's own name: a user's migrations may live in the same database."""

_UPGRADE_LOCK = 0x7461736B67617465
"""PostgreSQL's advisory lock for upgrades; "taskgate" in ASCII."""


def upgrade(database: Database) -> None:
    """Create the tables or bring them up to date, in one transaction. Repeated, it changes nothing.

    Processes that upgrade one database at the same time take turns.

    Raises:
        SchemaOutdated: a newer taskgate made the tables.
        StoreUnavailable: the database does not answer.
    """
    with database.write() as tx:
        if not database.is_sqlite:  # on SQLite, BEGIN IMMEDIATE is the lock
            tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        _refuse_newer(_current(tx))
        command.upgrade(_config(tx), "head")


def check(database: Database) -> None:
    """Make sure that the tables are those that this taskgate was written for.

    Raises:
        SchemaOutdated: they are missing, older or newer; the message says what to run.
        StoreUnavailable: the database does not answer.
    """
    with database.read() as tx:
        current = _current(tx)
    _refuse_newer(current)
    if current != needed_revision():
        found = "has no taskgate tables" if current is None else f"is at revision {current}"
        raise SchemaOutdated(
            f"the database {found}, and this taskgate needs revision {needed_revision()}: "
            "run `taskgate db upgrade`"
        )


def needed_revision() -> str:
    """The revision of the tables that this taskgate was written for."""
    return str(_scripts().get_current_head())


def _refuse_newer(current: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if current is not None and current not in known:
        raise SchemaOutdated(
            f"the database is at revision {current}, which this taskgate does not know: "
            "a newer one made it; install that one"
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
