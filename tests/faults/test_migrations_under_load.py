"""Each migration of a record with a million tasks, while others write to it.

Its figures, the longest wait of a write, are in docs/upgrading.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from support.postgres import PostgresServer
from taskgate.store.database.engine import Database

ROWS = 1_000_000

_FILL = """
    INSERT INTO taskgate_tasks (id, task_type, state, version, queue, priority, arguments, labels,
        attempt, retries, worker_losses, redispatches, created_at, started_at, finished_at, root_id,
        submitted_by)
    SELECT 'task-' || n, 'demo.add', 'SUCCEEDED', n, 'celery', 4, '[1, 2]', '{}', 1, 0, 0, 0,
        now() - n * interval '1 second', now() - n * interval '1 second',
        now() - n * interval '1 second', 'task-' || n, 'somebody'
    FROM generate_series(1, %s) AS n
"""

_SUBMIT = """
    INSERT INTO taskgate_tasks SELECT (jsonb_populate_record(
        one, jsonb_build_object('id', %s, 'root_id', %s)
    )).* FROM taskgate_tasks AS one WHERE id = 'task-1'
"""
"""At every revision: a row like one that is there."""

_CLAIM = "UPDATE taskgate_tasks SET version = version + 1, state = 'RUNNING' WHERE id = %s"


@pytest.mark.timeout(1200)
def test_writes_go_on_while_the_tables_are_brought_up_to_date(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with PostgresServer("max_wal_size=4GB") as postgres:
        url = postgres.create_database("record")
        with closing(Database(url)) as database:
            first, *others = revisions()
            migrate(database, first)
            with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
                cursor.execute(_FILL, (ROWS,))
                connection.commit()
            waits = {}
            for revision in others:
                with writing(url, revision) as longest:
                    migrate(database, revision)
                waits[revision] = longest
    with capsys.disabled():
        for revision, longest in waits.items():
            print(f"\n{revision}: {longest[0]:.2f} s of {longest[1]:.2f} s", end="")
    assert all(longest[2] > 0 for longest in waits.values())


def revisions() -> list[str]:
    scripts = ScriptDirectory.from_config(configuration())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", "taskgate.store:migrations")
    return config


def migrate(database: Database, revision: str) -> None:
    config = configuration()
    with database.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)


@contextmanager
def writing(url: str, revision: str) -> Iterator[list[float]]:
    """Meanwhile somebody submits and claims; the longest wait, the time of all, and how many."""
    found = [0.0, 0.0, 0.0]
    enough = threading.Event()

    def write() -> None:
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not enough.is_set():
                name = f"{revision}-{found[2]}"
                for statement, values in ((_SUBMIT, (name, name)), (_CLAIM, (name,))):
                    begun_at = time.monotonic()
                    cursor.execute(statement, values)
                    found[0] = max(found[0], time.monotonic() - begun_at)
                found[2] += 1

    thread = threading.Thread(target=write)
    thread.start()
    begun_at = time.monotonic()
    try:
        yield found
    finally:
        found[1] = time.monotonic() - begun_at
        enough.set()
        thread.join()
