"""``taskgate sweep``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.settings import load_settings, translate_store_errors
from taskgate.server.settings import ServerSettings
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.tasks.app import create_app
from taskgate.tasks.background.sweeper import Swept, sweeper_of


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print what it did as JSON.")
def command(*, as_json: bool) -> None:
    """Look after the record once, by hand, as every server does by itself all the time.

    Ends the leases of workers that gave no sign of life, puts their tasks back into the queue, has
    tasks published again whose messages seem lost at the broker, and deletes tasks older than
    TASKGATE_RETENTION_DAYS. It needs the database and the broker, not a server.

    \b
    taskgate sweep
    POSTGRES_URL=postgresql://user:password@host/name taskgate sweep --json
    """
    settings = load_settings(ServerSettings)
    database = Database(settings.postgres_url, pool_size=1)
    try:
        with translate_store_errors():
            schema.check(database)
            sweeper = sweeper_of(settings, database, create_app(settings), settings.retention)
            swept = sweeper.sweep_by_hand()
    finally:
        database.close()
    if as_json:
        write_json(asdict(swept))
    else:
        write("\n".join(_told(swept)) or "There was nothing to do.")


def _told(swept: Swept) -> Iterator[str]:
    for worker in swept.lost_workers:
        yield f"Worker {worker} is given up for dead: its lease ran out."
    for orphan in swept.orphans:
        yield (
            f"Task {orphan.task_id} ({orphan.task_type}) lost worker {orphan.worker} "
            f"in attempt {orphan.attempt}."
        )
    for task_id in swept.republished:
        yield f"Task {task_id} seems lost at the broker and is published again."
    for chord_id in swept.unlocked:
        yield f"The parts of chord {chord_id} have ended: its body starts."
    if swept.deleted:
        yield f"{swept.deleted} old tasks are deleted."
