"""``taskgate db``: the record's tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from taskgate.cli.output.terminal import write
from taskgate.cli.settings import load_settings, translate_store_errors
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.tasks.settings import Settings


@click.group()
def command() -> None:
    """Create, bring up to date or check the record's tables.

    \b
    taskgate db upgrade
    POSTGRES_URL=postgresql://user:password@host/name taskgate db upgrade
    """


@command.command()
def upgrade() -> None:
    """Create the tables or bring them up to date.

    Run it before you start a new version of server and workers; repeated, it changes nothing.
    `taskgate up` does it by itself.
    """
    with _database() as database:
        schema.upgrade(database)
        write(f"The tables of {database} are up to date.")


@command.command()
def check() -> None:
    """Exit with 0 if the tables are those that this version needs, otherwise with 1."""
    with _database() as database:
        schema.check(database)
        write(f"The tables of {database} are up to date.")


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(load_settings(Settings).postgres_url)
    try:
        with translate_store_errors():
            yield database
    finally:
        database.close()
