"""Servers and addresses for the tests.

A `…_server` is started once for a whole run and shared: a test that stops, kills or freezes one
makes its own (`with RedisServer() as server`). A `…_url` is empty and the test's own.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
from hypothesis import settings

from support.engines import Engines, on_postgres, on_sqlite
from support.postgres import PostgresServer
from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer

_numbers = itertools.count(1)

MakeEngines = Callable[..., AbstractContextManager[Engines]]

# An example may take long on a busy machine; the test's own timeout is what counts.
settings.register_profile("taskgate", deadline=None)
settings.load_profile("taskgate")


def pytest_configure() -> None:
    """Take Ctrl-C: who is started in the background ignores it, and so do its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQServer]:
    with RabbitMQServer() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A test that asks for this runs on each database."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.empty_database()


@pytest.fixture
def amqp_url(rabbitmq_server: RabbitMQServer) -> str:
    return rabbitmq_server.empty_vhost()


@pytest.fixture(scope="session")
def make_engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MakeEngines:
    """Makes the engines of one of `support.engines.SETUPS`, empty.

    Their servers are shared, but for the broker's with `own_broker`: that one may be broken.
    """

    @contextmanager
    def make(setup: str, *, own_broker: bool = False) -> Iterator[Engines]:
        broker, record = setup.split("+")
        if record == "sqlite":
            yield on_sqlite(tmp_path_factory.mktemp("engines"))
            return
        postgres = request.getfixturevalue("postgres_server")
        with (
            _broker_server(broker, request, own_broker) as server,
            on_postgres(postgres, server) as engines,
        ):
            yield engines

    return make


def _broker_server(
    broker: str, request: pytest.FixtureRequest, own: bool
) -> AbstractContextManager[RedisServer | RabbitMQServer | None]:
    match broker:
        case "redis":
            return RedisServer() if own else nullcontext(request.getfixturevalue("redis_server"))
        case "rabbitmq" if own:
            return RabbitMQServer()
        case "rabbitmq":
            return nullcontext(request.getfixturevalue("rabbitmq_server"))
    return nullcontext()
