"""Logs of attempts: replaced as a whole, gone with their task."""

from __future__ import annotations

from support.records import HOUR, submitted_in
from taskgate.store import logs, sweeping
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.logs import AttemptLog, Line

LINE = Line(1_700_000_000.25, "WARNING", "shop", "an order: \ud800 \0 é")
READ = LINE._replace(message="an order: \ud800 \0 é")


def read(database: Database, task_id: str, first: int = 1, limit: int = 10) -> list[AttemptLog]:
    with database.read() as tx:
        return logs.read(tx, task_id, first, limit)


def test_a_log_is_replaced(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    for log in (
        AttemptLog(task_id, 1, 0, (LINE,)),
        AttemptLog(task_id, 1, 3, (LINE, LINE)),
        AttemptLog(task_id, 2, 0, ()),
    ):
        with database.autocommit() as tx:
            logs.write(tx, log)
    assert read(database, task_id) == [
        AttemptLog(task_id, 1, 3, (READ, READ)),
        AttemptLog(task_id, 2, 0, ()),
    ]
    assert read(database, task_id, first=2) == [AttemptLog(task_id, 2, 0, ())]
    assert len(read(database, task_id, limit=1)) == 1


def test_a_task_that_is_gone_has_none(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.SUCCEEDED)
        logs.write(tx, AttemptLog(task_id, 1, 0, (LINE,)))
    with database.write() as tx:
        assert sweeping.delete_final(tx, -HOUR, 10) == 1
    with database.write() as tx:
        logs.write(tx, AttemptLog(task_id, 1, 0, (LINE,)))
    assert read(database, task_id) == []
