"""The migrations make exactly the tables that the statements are written for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, inspect, select, table, text, update

from support.records import submit, upgraded
from support.waiting import wait_until
from taskgate.store import canvas, queries, tables
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.store.errors import SchemaOutdated


def differences(database: Database) -> list[object]:
    with database.read() as tx:
        context = MigrationContext.configure(tx, opts={"version_table": schema.VERSION_TABLE})
        found: list[object] = compare_metadata(context, tables.metadata)
    return found


def set_revision(database: Database, revision: str) -> None:
    with database.write() as tx:
        versions = table(schema.VERSION_TABLE, column("version_num"))
        tx.execute(update(versions).values(version_num=revision))


def test_the_migrations_make_the_tables(database_url: str) -> None:
    assert differences(upgraded(database_url)) == []


def conditions(indexes: Iterable[tuple[str | None, Any]]) -> dict[str | None, str]:
    """The partial indexes' conditions in one spelling: PostgreSQL tells them in its own."""
    spelled = {name: re.sub(r"::\w+( varying)?|[()\[\]]", "", str(c)) for name, c in indexes}
    return {
        name: condition.replace("= ANY ARRAY", "IN ").replace("= 'QUEUED'", "IN 'QUEUED'")
        for name, condition in spelled.items()
    }


def test_the_migrations_make_the_indexes_as_partial_as_they_are(database_url: str) -> None:
    # What compare_metadata does not look at.
    database = upgraded(database_url)
    where = f"{database.engine.dialect.name}_where"
    made = inspect(database.engine).get_indexes("taskgate_tasks")
    wanted = [(index.name, index.kwargs[where]) for index in tables.tasks.indexes]
    assert conditions(
        (index["name"], index["dialect_options"][where])
        for index in made
        if where in index["dialect_options"]
    ) == conditions((name, condition) for name, condition in wanted if condition is not None)


def test_upgrading_again_changes_nothing(database_url: str) -> None:
    database = upgraded(database_url)
    with database.write() as tx:
        task_id = submit(tx)
    schema.upgrade(database)
    schema.check(database)
    with database.read() as tx:
        assert queries.get(tx, task_id).id == task_id


def test_a_database_without_tables_says_what_to_run(database_url: str) -> None:
    with pytest.raises(SchemaOutdated, match=r"no taskgate tables.*run `taskgate db upgrade`"):
        schema.check(Database(database_url))


def test_an_older_database_says_what_to_run(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = upgraded(database_url)
    monkeypatch.setattr(ScriptDirectory, "get_current_head", lambda _self: "9999")
    with pytest.raises(SchemaOutdated, match=r"at revision .* needs .*9999: run `taskgate db up"):
        schema.check(database)


def test_chords_that_wait_are_taken_along(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were saved groups before they had tables of their own."""
    database = Database(database_url)
    to_the_newest = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, _: to_the_newest(config, "0004"))
    schema.upgrade(database)
    monkeypatch.undo()
    saved = json.dumps({"parts": ["a", "b", "a"], "arguments": "{}", "queue": "q"})
    with database.write() as tx:
        canvas.save_group(tx, "chord:c", saved)
        canvas.save_group(tx, "g", "[]")
    schema.upgrade(database)
    with database.write() as tx:
        parts = tx.execute(select(tables.chord_parts)).all()
        assert sorted(parts) == [("c", "a"), ("c", "b")]
        assert tx.execute(select(tables.chords.c.queue)).scalar_one() == "q"
        assert canvas.restore_group(tx, "chord:c") is None
        assert canvas.restore_group(tx, "g") == "[]"


def make_newer(database: Database, *, usable_from: str) -> None:
    """As a later version would leave the tables."""
    set_revision(database, "9999")
    with database.write() as tx:
        tx.execute(update(tables.schema).values(usable_from=usable_from))


def test_a_database_too_new_is_neither_used_nor_touched(database_url: str) -> None:
    database = upgraded(database_url)
    make_newer(database, usable_from="9998")
    for call in (schema.check, schema.upgrade):
        with pytest.raises(SchemaOutdated, match=r"revision 9999.*too old.*install the one"):
            call(database)


def test_a_newer_database_is_used_as_far_back_as_it_says(database_url: str) -> None:
    database = upgraded(database_url)
    make_newer(database, usable_from=schema.needed_revision())
    assert schema.check(database) == "9999"
    schema.upgrade(database)
    assert schema.check(database) == "9999"
    with database.write() as tx:
        task_id = submit(tx)
        assert queries.get(tx, task_id).id == task_id


def test_a_users_own_alembic_table_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as tx:
        tx.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    schema.upgrade(database)
    schema.check(database)
    with database.read() as tx:
        found = tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    assert found == ["theirs"]


UPGRADE = """
import sys
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
print("ready", flush=True)
sys.stdin.readline()
database = Database(sys.argv[1])
schema.upgrade(database)
schema.check(database)
"""


def start_upgrade(url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", UPGRADE, url]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_processes_that_upgrade_at_once_take_turns(database_url: str) -> None:
    processes = [start_upgrade(database_url) for _ in range(4)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert differences(Database(database_url)) == []


def test_nobody_waits_long_behind_an_upgrade_that_waits_for_a_transaction(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_url)
    to_the_newest = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, _: to_the_newest(config, "0013"))
    schema.upgrade(database)
    monkeypatch.undo()
    writing = text("UPDATE taskgate_tasks SET version = version")
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
    with closing(psycopg2.connect(postgres_url)) as somebody, ThreadPoolExecutor(1) as thread:
        with somebody.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM taskgate_tasks")
        upgrading = thread.submit(schema.upgrade, database)

        def is_waiting() -> bool:
            with database.read() as tx:
                return bool(tx.execute(waiting).scalar_one())

        try:
            wait_until(is_waiting, 60, "the upgrade waits")
            with database.write() as tx:
                tx.execute(writing)
            assert not upgrading.done()
        finally:
            somebody.rollback()
            upgrading.result(60)
    schema.check(database)


def test_threads_that_upgrade_databases_of_their_own_at_once(tmp_path: Path) -> None:
    databases = [Database(f"sqlite:///{tmp_path}/{number}.db") for number in range(8)]
    with ThreadPoolExecutor(len(databases)) as threads:
        list(threads.map(schema.upgrade, databases))
    assert [differences(database) for database in databases] == [[]] * len(databases)


def test_a_migration_that_fails_leaves_nothing_behind(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url)

    class BrokenError(Exception):
        pass

    def upgrade_and_break(config: Config, revision: str) -> None:
        whole_upgrade(config, revision)
        raise BrokenError

    whole_upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", upgrade_and_break)
    with pytest.raises(BrokenError):
        schema.upgrade(database)
    assert inspect(database.engine).get_table_names() == []
