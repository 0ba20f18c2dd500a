"""A server for each test, and in its record the task types of a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.serving import InProcessServer, parameter, register, start_worker
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NUMBER = {"type": "number"}


@pytest.fixture
def database(database: Database) -> Database:
    """A record with nothing in it but three task types and a worker."""
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
