"""GetStats is cheap: it reads nothing that has long ended, and once for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, literal, select, true, update
from sqlalchemy import insert as insert_rows

from support.postgres import PostgresServer
from support.records import HOUR, new_task, recorded_statements, submitted_in, upgraded
from taskgate.server.api.overview import Overview
from taskgate.server.records import Records
from taskgate.server.requests.catalog import Catalog
from taskgate.store import counting, mirror, stats, submission
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.tables import tasks

ENDED = 20_000
LIVE = 30
VIEWERS = 200
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def aged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A record in which few tasks live among many that ended an hour ago."""
    url = f"sqlite:///{tmp_path_factory.mktemp('stats') / 'record.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database("stats")
    database = upgraded(url)
    with database.write() as tx:
        submission.submit(tx, [new_task()])
        an_hour_ago = clock.in_(-HOUR)
        tx.execute(
            update(tasks).values(
                state=State.SUCCEEDED, created_at=an_hour_ago, finished_at=an_hour_ago
            )
        )
        first = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = first.union_all(select(first.c.n + 1).where(first.c.n < ENDED))
        keys = {"id", "root_id"}
        columns = [
            one.concat(literal("-")).concat(numbers.c.n) if one.name in keys else one
            for one in tasks.c
        ]
        rows = select(*columns).join_from(tasks, numbers, true())
        tx.execute(insert_rows(tasks).from_select(list(tasks.c.keys()), rows))
        for number in range(LIVE):
            submitted_in(tx, State.QUEUED if number % 2 else State.RUNNING)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    yield database
    database.close()


READINGS: dict[str, Callable[[Connection], object]] = {
    "stats": stats.activity,
    "metrics": lambda tx: list(
        counting.happened(tx, clock.read(tx) - MINUTE, clock.read(tx) - counting.SETTLE)
    ),
    "mirror": lambda tx: mirror.lag(tx, "mirror"),
}


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_what_has_long_ended_is_not_read(
    aged: Database, read: Callable[[Connection], object]
) -> None:
    explain = "EXPLAIN QUERY PLAN " if aged.is_sqlite else "EXPLAIN "
    with aged.engine.connect() as tx:
        with recorded_statements(aged) as statements:
            read(tx)
        plans = [
            str(row[-1])
            for statement, parameters in statements
            if "taskgate_" in statement
            for row in tx.exec_driver_sql(explain + statement, parameters)
        ]
    assert plans
    whole = [step for step in plans if "SCAN taskgate_" in step or "Seq Scan on taskgate_t" in step]
    assert not whole, plans


def test_all_viewers_share_one_reading(aged: Database) -> None:
    async def look() -> tuple[int, int]:
        records = Records(aged)
        overview = Overview(records, Catalog(records, ()))
        with recorded_statements(aged) as statements:
            readings = await asyncio.gather(*(overview.recent() for _ in range(VIEWERS)))
        records.close()
        assert len({id(reading) for reading in readings}) == 1
        assert readings[0].total.size == LIVE
        return len(statements), len(readings)

    number, viewers = asyncio.run(look())
    assert number < 40 < viewers
