"""The database with the record: its engine, its tables, and whether a commit stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, text

from taskgate.cli.doctor.finding import Finding, ok, problem, warning
from taskgate.store import schema
from taskgate.store.engine import Database, parse_url
from taskgate.store.errors import SchemaOutdated

_LITTLE_SPACE = 500 << 20
"""Bytes free below which a SQLite record is worth a warning."""


def absent(url: str) -> Finding | None:
    """The problem that a SQLite file is not there; opening it would make it."""
    file = sqlite_file(parse_url(url))
    if file is None or file.exists():
        return None
    return problem(
        f"there is no record: no file {file}",
        "start `taskgate up`, or call doctor in the folder where it runs, or set POSTGRES_URL",
    )


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite database; None for another, or one in memory."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def look_at_engine(database: Database) -> Iterator[Finding]:
    """Which database it is, and whether it keeps what it has confirmed.

    Raises:
        StoreUnavailable: it does not answer.
    """
    with database.read() as tx:
        yield from _sqlite(tx, database.url) if database.is_sqlite else _postgresql(tx, database)


def look_at_schema(database: Database) -> Iterator[Finding]:
    """Whether the tables are those that this taskgate needs.

    Raises:
        StoreUnavailable: it does not answer.
    """
    try:
        schema.check(database)
    except SchemaOutdated as error:
        what, _, way_out = str(error).partition(": ")
        yield problem(what, way_out)
    else:
        yield ok(f"the tables are at revision {schema.needed_revision()}, which is the newest")


def _sqlite(tx: Connection, url: URL) -> Iterator[Finding]:
    version = _value(tx, "SELECT sqlite_version()")
    yield ok(f"SQLite {version} in {url.database}, for servers and workers on this machine")
    journal, sync = _value(tx, "PRAGMA journal_mode"), _value(tx, "PRAGMA synchronous")
    if journal == "wal" and sync in ("2", "3"):
        yield ok("what was answered is on disk: WAL, synchronous=FULL")
    else:
        yield warning(
            f"a power cut may take back what was answered: journal_mode={journal}",
            "keep the file on a local disk: network file systems have no WAL",
        )
    file = sqlite_file(url)
    if file is not None:
        yield from _file(file)


def _file(file: Path) -> Iterator[Finding]:
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        yield problem(
            f"{file} and its folder cannot be written by this user",
            "run as the user who owns them",
        )
    free = shutil.disk_usage(file.parent).free
    if free < _LITTLE_SPACE:
        yield warning(
            f"its disk has {free >> 20} MiB left; on a full disk nothing can be submitted",
            "make space, or shorten TASKGATE_RETENTION_DAYS",
        )


def _postgresql(tx: Connection, database: Database) -> Iterator[Finding]:
    version = _value(tx, "SHOW server_version")
    shown = database.url.set(drivername="postgresql").render_as_string(hide_password=True)
    yield ok(f"PostgreSQL {version} at {shown}")
    if _value(tx, "SELECT pg_is_in_recovery()") == "True":
        yield problem("it is a standby, which only reads", "set POSTGRES_URL to the primary")
    yield from _durability(tx)


def _durability(tx: Connection) -> Iterator[Finding]:
    fsync, commit = _value(tx, "SHOW fsync"), _value(tx, "SHOW synchronous_commit")
    if fsync == "off":
        yield warning("fsync is off: a power cut may destroy the record", "turn fsync on")
    if commit == "off":
        yield warning(
            "synchronous_commit is off: a crash may take back what was just answered",
            "turn it on, at least for this database: ALTER DATABASE … SET synchronous_commit=on",
        )
    if fsync == "on" and commit != "off":
        yield ok(f"what was answered is on disk: fsync=on, synchronous_commit={commit}")


def _value(tx: Connection, statement: str) -> str:
    return str(tx.execute(text(statement)).scalar_one())
