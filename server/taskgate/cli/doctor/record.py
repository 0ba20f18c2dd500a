"""The record: its database and tables, the clock beside its clock, and the workers in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, text

from taskgate.cli.doctor import Finding, ok, problem, warning
from taskgate.store import outbox, workers
from taskgate.store.database import clock, schema
from taskgate.store.database.engine import Database
from taskgate.store.database.urls import parse_url
from taskgate.store.errors import SchemaOutdated
from taskgate.store.workers import Worker

_LITTLE_SPACE = 500 << 20
"""Bytes free below which a SQLite record is worth a warning."""

_CLOCK_TOLERANCE_SECONDS = 1.0


def check_presence(url: str) -> Finding | None:
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


def check_engine(database: Database) -> Iterator[Finding]:
    """Which database it is, and whether it keeps what it has confirmed.

    Raises:
        StoreUnavailable: it does not answer.
    """
    with database.read() as tx:
        yield from _sqlite(tx, database.url) if database.is_sqlite else _postgresql(tx, database)


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
    yield ok(f"PostgreSQL {version} at {database}")
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


def check_schema(database: Database) -> Iterator[Finding]:
    """Whether the tables are those that this taskgate needs.

    Raises:
        StoreUnavailable: it does not answer.
    """
    try:
        revision = schema.check(database)
    except SchemaOutdated as error:
        what, _, way_out = str(error).partition(": ")
        yield problem(what, way_out)
    else:
        yield ok(f"the tables are at revision {revision}")


def check_clock(database: Database) -> Iterator[Finding]:
    """How far this machine's clock is off.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with database.read() as tx:
        clock.read(tx)  # the first one opens the connection
        before = datetime.now(UTC)
        there = clock.read(tx)
        after = datetime.now(UTC)
    slow = (after - before).total_seconds() / 2
    offset = (there - before).total_seconds() - slow
    said = f"{abs(offset):.3f} s {'behind' if offset > 0 else 'ahead of'} the database's"
    if abs(offset) - slow <= _CLOCK_TOLERANCE_SECONDS:
        yield ok(f"this machine's clock is {said}")
    else:
        yield warning(
            f"this machine's clock is {said}; leases and due times go by the database, but logs, "
            "and the ages that this command shows, are off",
            "set the clock by NTP on both machines",
        )


def check_workers(database: Database, queues: Collection[str]) -> Iterator[Finding]:
    """What the record says of workers; ``queues`` are those that should be served.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with database.read() as tx:
        known = workers.list_all(tx)
        waiting = {subqueue.queue for subqueue in outbox.overdue_subqueues(tx)}
    alive = [worker for worker in known if worker.is_alive]
    if alive:
        yield ok(f"{len(alive)} at work: {', '.join(map(_described, alive))}")
        yield from _force(alive)
    else:
        yield problem(
            "no worker is at work: tasks are taken and wait",
            "start one: `taskgate worker`, or `taskgate up`",
        )
    yield from _queues(alive, queues, waiting)
    yield from _dead(known)


def _described(worker: Worker) -> str:
    details = worker.details
    return f"{worker.id} ({details.get('pool')}, {details.get('concurrency')} at once)"


def _force(alive: Sequence[Worker]) -> Iterator[Finding]:
    unable = [worker for worker in alive if not worker.details.get("can_force")]
    if not unable:
        yield ok("all of them can end a task by force, and at its time limit")
        return
    yield warning(
        f"{', '.join(map(_described, unable))} cannot end a task by force or at its time limit",
        "start workers with --pool=prefork, or write tasks that look at is_aborted()",
    )


def _queues(
    alive: Sequence[Worker], wanted: Collection[str], waiting: Collection[str]
) -> Iterator[Finding]:
    served = {queue for worker in alive for queue in worker.details.get("queues") or ()}
    if not alive:
        return
    for queue in sorted({*wanted, *waiting} - served):
        tasks = "tasks wait in queue" if queue in waiting else "there is a queue"
        yield warning(
            f"{tasks} {queue!r}, and no worker takes from it",
            f"start one: `taskgate worker --queues={queue}`",
        )


def _dead(known: Sequence[Worker]) -> Iterator[Finding]:
    lost = [worker for worker in known if worker.lost_at is not None]
    if lost:
        yield warning(
            f"{len(lost)} died lately, {lost[0].id} last; its tasks went to others",
            "look into its log, and for the kernel's OOM killer",
        )
    unnoticed = [
        worker
        for worker in known
        if not worker.is_alive and worker.stopped_at is None and worker.lost_at is None
    ]
    if unnoticed:
        yield warning(
            f"the lease of {unnoticed[0].id} ran out, and no server has noticed yet",
            "servers notice within seconds: start one, or run `taskgate sweep`",
        )
