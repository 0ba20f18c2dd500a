"""One empty record a test, on each database. The tables are made once for a whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.postgres import PostgresServer
from support.records import delete_everything, upgraded
from taskgate.store.database.engine import Database


@pytest.fixture(scope="session")
def sqlite_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = upgraded(f"sqlite:///{tmp_path_factory.mktemp('record') / 'record.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_record(postgres_server: PostgresServer) -> Iterator[Database]:
    database = upgraded(postgres_server.create_database("integration"))
    yield database
    database.close()
    postgres_server.drop_database("integration")


@pytest.fixture
def sqlite(sqlite_record: Database) -> Database:
    delete_everything(sqlite_record)
    return sqlite_record


@pytest.fixture
def postgres(postgres_record: Database) -> Database:
    delete_everything(postgres_record)
    return postgres_record


@pytest.fixture(params=["sqlite", "postgres"], ids=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    record: Database = request.getfixturevalue(request.param)
    return record
