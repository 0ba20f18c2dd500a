"""A server for each test, with a record of its own, and task types as workers register them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.serving import InProcessServer, parameter, register, start_worker
from taskgate.server.settings import ServerSettings
from taskgate.store import schema
from taskgate.store.engine import Database
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NUMBER = {"type": "number"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    schema.upgrade(database)
    register(database, "demo.add", parameter("x", NUMBER), parameter("y", NUMBER))
    register(database, "demo.echo", parameter("value"))
    register(
        database,
        "demo.anything",
        parameter("args", kind="VAR_POSITIONAL", required=False),
        parameter("kwargs", kind="VAR_KEYWORD", required=False),
    )
    start_worker(database)
    yield database
    database.close()


@pytest.fixture
def make_settings(tmp_path: Path, database_url: str) -> Callable[..., ServerSettings]:
    """Settings of a server on a free port, with the test's record and a broker of its own."""

    def make(**values: Any) -> ServerSettings:
        return ServerSettings(
            **{
                "celery_broker_url": f"sqla+sqlite:///{tmp_path / 'broker.db'}",
                "postgres_url": database_url,
                "taskgate_address": "127.0.0.1:0",
                **values,
            }
        )

    return make


@pytest.fixture
def server(
    database: Database, make_settings: Callable[..., ServerSettings]
) -> Iterator[InProcessServer]:
    with InProcessServer(make_settings()) as server:
        yield server


@pytest.fixture
def stub(server: InProcessServer) -> TaskServiceStub:
    return server.stub()
