"""Every change of every record, written down by the database itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from taskgate.store.database.engine import Database
from taskgate.store.insertion import FIRST_VERSION
from taskgate.store.lifecycle import TRANSITIONS, State

_TABLE = """
CREATE TABLE history (
    task_id VARCHAR(255), attempt INTEGER, version BIGINT, was VARCHAR(16), became VARCHAR(16)
)"""
_INSERT = "INSERT INTO history VALUES (old.id, old.attempt, new.version, old.state, new.state)"
# Publishing again moves the time since when a task is queued, which nobody is told.
_IF_CHANGED = "WHEN (old.version <> new.version OR old.state <> new.state)"
_START = {
    "sqlite": [
        f"CREATE TRIGGER history AFTER UPDATE ON taskgate_tasks {_IF_CHANGED} BEGIN {_INSERT}; END",
    ],
    "postgresql": [
        (
            "CREATE FUNCTION write_history() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN {_INSERT}; RETURN NULL; END$$"
        ),
        (
            "CREATE TRIGGER history AFTER UPDATE ON taskgate_tasks "
            f"FOR EACH ROW {_IF_CHANGED} EXECUTE FUNCTION write_history()"
        ),
    ],
}
_STOP = {
    "sqlite": ["DROP TRIGGER history"],
    "postgresql": ["DROP TRIGGER history ON taskgate_tasks", "DROP FUNCTION write_history"],
}


@dataclass(frozen=True)
class Change:
    """One change of a record: in which attempt, to which version, from which state to which."""

    attempt: int
    version: int
    was: State
    became: State


def write_history(database: Database) -> None:
    """Have the database write down each change from now on."""
    _execute(database, [_TABLE, *_START[database.engine.dialect.name]])


@contextmanager
def written_history(database: Database) -> Iterator[None]:
    """Have the database write down each change meanwhile."""
    write_history(database)
    try:
        yield
    finally:
        _execute(database, [*_STOP[database.engine.dialect.name], "DROP TABLE history"])


def changes(database: Database) -> dict[str, list[Change]]:
    """The changes of each record, by version."""
    found: dict[str, list[Change]] = {}
    with database.read() as tx:
        rows = tx.exec_driver_sql(
            "SELECT task_id, attempt, version, was, became FROM history ORDER BY task_id, version"
        )
        for task_id, attempt, version, was, became in rows:
            change = Change(attempt, version, State(was), State(became))
            found.setdefault(task_id, []).append(change)
    return found


def assert_lawful(history: list[Change]) -> None:
    """Each change is one of the lifecycle's, and raises the version by exactly one."""
    versions = [change.version for change in history]
    first = FIRST_VERSION + 1
    assert versions == list(range(first, first + len(history))), history
    for earlier, later in pairwise(history):
        assert earlier.became is later.was, history
    for change in history:
        assert any(change.was in t.sources and change.became is t.target for t in TRANSITIONS), (
            history
        )


def _execute(database: Database, statements: list[str]) -> None:
    with database.write() as tx:
        for statement in statements:
            tx.exec_driver_sql(statement)
