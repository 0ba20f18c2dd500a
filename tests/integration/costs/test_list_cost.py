"""What a page costs: as many rows as it shows, by each filter, the thousandth as the first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    cast,
    insert,
    literal,
    select,
    true,
)

from support.postgres import PostgresServer
from support.records import recorded_statements, submitted_in, upgraded
from taskgate.store import listing
from taskgate.store.database.clock import after
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.listing import Filter, Position
from taskgate.store.record import Task, from_row
from taskgate.store.tables import labels, tasks

SIZE = 50
PAGES = 1_000
ROWS = SIZE * (PAGES + 5)

FILTERS = {
    "all": Filter(),
    "state": Filter(states=frozenset({State.SUCCEEDED})),
    "states": Filter(states=frozenset({State.SUCCEEDED, State.FAILED})),
    "task type": Filter(task_types=frozenset({"demo.add"})),
    "task types": Filter(task_types=frozenset({"demo.add", "demo.other"})),
    "queue": Filter(queues=frozenset({"celery"})),
    "label": Filter(labels={"team": "a"}),
    "root": Filter(root_ids=frozenset({"root"})),
    "range": Filter(created_from=datetime(2020, 1, 1, tzinfo=UTC)),
    "type and state": Filter(
        task_types=frozenset({"demo.add"}), states=frozenset({State.SUCCEEDED})
    ),
}


def fill(database: Database) -> None:
    """Copies of one task, each a little older than the one before."""
    with database.write() as tx:
        first = submitted_in(tx, State.SUCCEEDED, labels={"team": "a"}, root_id="root")
        numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < ROWS))
        new: dict[str, ColumnElement[Any]] = {
            "id": literal("copy-") + cast(numbers.c.n, String),
            "created_at": after(numbers.c.n * -0.01),
        }
        copies: Select[Any] = (
            select(*(new.get(column.name, column) for column in tasks.c))
            .select_from(tasks.join(numbers, true()))
            .where(tasks.c.id == first)
        )
        tx.execute(insert(tasks).from_select(tasks.c.keys(), copies))
        of_tasks = select(tasks.c.id, literal("team"), literal("a"), tasks.c.created_at)
        of_copies = of_tasks.where(tasks.c.id != first)
        tx.execute(
            insert(labels).from_select(["task_id", "name", "value", "created_at"], of_copies)
        )
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('cost') / 'record.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database("list_cost")
    database = upgraded(url)
    fill(database)
    yield database
    database.close()


def position_after(database: Database, rows: int) -> Position:
    newest_first = tasks.c.created_at.desc(), tasks.c.id.desc()
    with database.read() as tx:
        row = tx.execute(
            select(tasks.c.created_at, tasks.c.id).order_by(*newest_first).offset(rows - 1).limit(1)
        ).one()
    return Position(row.created_at, row.id)


def cost(database: Database, wanted: Filter, start: Position | None) -> int:
    """The steps of SQLite's machine, or the rows that PostgreSQL looks at."""
    with database.engine.connect() as tx:
        if database.is_sqlite:
            return _steps(tx, wanted, start)
        return _rows(database, tx, wanted, start)


def _steps(tx: Connection, wanted: Filter, start: Position | None) -> int:
    connection = tx.connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    tx.exec_driver_sql("SELECT 1")  # begins the transaction, and with it sets another handler
    connection.set_progress_handler(count, 1)
    try:
        page = listing.basic_page(tx, wanted, start, SIZE)
    finally:
        connection.set_progress_handler(None, 1)
    assert len(page.tasks) == SIZE
    return steps


def _rows(database: Database, tx: Connection, wanted: Filter, start: Position | None) -> int:
    with recorded_statements(database) as statements:
        page = listing.basic_page(tx, wanted, start, SIZE)
    assert len(page.tasks) == SIZE
    total = 0
    for statement, parameters in list(statements):
        if "taskgate_" not in statement:  # what begins the transaction
            continue
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        [[plan]] = tx.exec_driver_sql(explain, parameters)
        [root] = plan if isinstance(plan, list) else json.loads(plan)
        total += _looked_at(root["Plan"])
    return total


def _looked_at(node: dict[str, Any]) -> int:
    here = 0
    if "Relation Name" in node:
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        here = round((rows + node.get("Rows Removed by Index Recheck", 0)) * node["Actual Loops"])
    return here + sum(_looked_at(child) for child in node.get("Plans", ()))


@pytest.mark.parametrize("name", FILTERS)
def test_the_thousandth_page_costs_what_the_first_does(filled: Database, name: str) -> None:
    first = cost(filled, FILTERS[name], None)
    last = cost(filled, FILTERS[name], position_after(filled, SIZE * (PAGES - 1)))
    assert last <= first * 1.2 + SIZE, (first, last)
    if not filled.is_sqlite:
        # Each row of the page is found in an index, perhaps joined, and then read.
        assert first <= 4 * (SIZE + 1), first


def test_a_cost_that_grows_is_seen(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A measure that could not fail would be worth nothing."""

    def by_offset(tx: Connection, _: Filter, start: Position | None, limit: int) -> listing.Page:
        offset = 0 if start is None else SIZE * (PAGES - 1)
        newest_first = tasks.c.created_at.desc(), tasks.c.id.desc()
        statement = select(tasks).order_by(*newest_first).offset(offset).limit(limit)
        rows = tx.execute(statement).mappings()
        return listing.Page([from_row(Task, row) for row in rows], None)

    monkeypatch.setattr(listing, "basic_page", by_offset)
    first = cost(filled, Filter(), None)
    assert cost(filled, Filter(), position_after(filled, 1)) > 10 * first
