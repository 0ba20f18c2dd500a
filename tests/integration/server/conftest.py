"""A server for each test, with an empty record, and task types as workers register them.

The tables are made once for a whole run: making them takes longer than most tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.postgres import PostgresServer
from support.records import delete_everything, upgraded
from support.serving import InProcessServer, parameter, register, start_worker
from taskgate.server.settings import ServerSettings
from taskgate.store.engine import Database
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NUMBER = {"type": "number"}


@pytest.fixture(scope="session")
def sqlite_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = upgraded(f"sqlite:///{tmp_path_factory.mktemp('record') / 'record.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_record(postgres_server: PostgresServer) -> Iterator[Database]:
    database = upgraded(postgres_server.create_database("server_tests"))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A record with nothing in it but three task types and a worker."""
    fixture = {"sqlite": "sqlite_record", "postgresql": "postgres_record"}[request.param]
    database: Database = request.getfixturevalue(fixture)
    delete_everything(database)
    register(database, "demo.add", parameter("x", NUMBER), parameter("y", NUMBER))
    register(database, "demo.echo", parameter("value"))
    register(
        database,
        "demo.anything",
        parameter("args", kind="VAR_POSITIONAL", required=False),
        parameter("kwargs", kind="VAR_KEYWORD", required=False),
    )
    start_worker(database)
    return database


@pytest.fixture
def make_settings(tmp_path: Path, database: Database) -> Callable[..., ServerSettings]:
    """Settings of a server on a free port, with the test's record and a broker of its own."""

    def make(**values: Any) -> ServerSettings:
        defaults = {
            "celery_broker_url": f"sqla+sqlite:///{tmp_path / 'broker.db'}",
            "postgres_url": database.url.render_as_string(hide_password=False),
            "taskgate_address": "127.0.0.1:0",
        }
        return ServerSettings(**{**defaults, **values})

    return make


@pytest.fixture
def server(make_settings: Callable[..., ServerSettings]) -> Iterator[InProcessServer]:
    with InProcessServer(make_settings()) as server:
        yield server


@pytest.fixture
def stub(server: InProcessServer) -> TaskServiceStub:
    return server.stub()
