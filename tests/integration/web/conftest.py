"""A server with its dashboard for each test, and in its record the task types of a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.serving import InProcessServer, parameter, register, start_worker
from support.site import Site, served
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database

NUMBER = {"type": "number"}


@pytest.fixture
def database(database: Database) -> Database:
    register(database, "demo.add", parameter("x", NUMBER), parameter("y", NUMBER))
    register(database, "demo.echo", parameter("value"))
    start_worker(database, concurrency=4)
    return database


@pytest.fixture
def make_settings(tmp_path: Path, database: Database) -> Callable[..., ServerSettings]:
    """Settings of a server on free ports, with the test's record and a broker of its own."""

    def make(**values: Any) -> ServerSettings:
        defaults = {
            "celery_broker_url": f"sqla+sqlite:///{tmp_path / 'broker.db'}",
            "postgres_url": database.url.render_as_string(hide_password=False),
            "taskgate_address": "127.0.0.1:0",
            "taskgate_web_address": "127.0.0.1:0",
        }
        return ServerSettings(**{**defaults, **values})

    return make


@pytest.fixture
def serving(make_settings: Callable[..., ServerSettings]) -> Iterator[tuple[InProcessServer, Site]]:
    with served(make_settings()) as serving:
        yield serving


@pytest.fixture
def server(serving: tuple[InProcessServer, Site]) -> InProcessServer:
    return serving[0]


@pytest.fixture
def site(serving: tuple[InProcessServer, Site]) -> Site:
    return serving[1]
