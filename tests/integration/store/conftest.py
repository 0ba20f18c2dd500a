"""One empty record a test, on each database. The tables are made once for a whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.postgres import PostgresServer
from support.records import delete_everything, upgraded
from taskgate.store.engine import Database


@pytest.fixture(scope="session")
def sqlite_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = upgraded(f"sqlite:///{tmp_path_factory.mktemp('record') / 'record.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_record(postgres_server: PostgresServer) -> Iterator[Database]:
    database = upgraded(postgres_server.create_database("store"))
    yield database
    database.close()
    postgres_server.drop_database("store")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    fixture = {"sqlite": "sqlite_record", "postgresql": "postgres_record"}[request.param]
    record: Database = request.getfixturevalue(fixture)
    delete_everything(record)
    return record
