"""Whole deployments, each of them on two setups.

`deployment` is one for the whole run, with a server and a prefork worker on the queue "celery"; the
tests share it and break nothing. A test that kills, freezes or restarts a part asks for
`own_deployment`, in which nothing runs yet.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from support.deployment import Deployment
from support.engines import Embedded, Engines, Servers
from support.postgres import PostgresServer
from support.redis import RedisServer
from taskgate.client import Client

_numbers = itertools.count(1)

IDLE_QUEUES = ("idle-1", "idle-2", "idle-3", "idle-4")
"""Queues that exist, though no worker serves them before a test starts one."""


@pytest.fixture(scope="session", params=["sqlite", "postgresql+redis"])
def setup_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@dataclass(frozen=True, slots=True)
class Shared:
    """What the tests share of one setup."""

    engines: Engines
    deployment: Deployment
    client: Client


# A fixture each, so that pytest keeps both when the files' tests alternate between them.


@pytest.fixture(scope="session")
def shared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with _sqlite(tmp_path_factory) as engines, _running(engines, tmp_path_factory) as shared:
        yield shared


@pytest.fixture(scope="session")
def shared_servers(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shared]:
    with _servers(postgres_server) as engines, _running(engines, tmp_path_factory) as shared:
        yield shared


@pytest.fixture(scope="session")
def shared(setup_name: str, request: pytest.FixtureRequest) -> Shared:
    name = "shared_sqlite" if setup_name == "sqlite" else "shared_servers"
    shared: Shared = request.getfixturevalue(name)
    return shared


@pytest.fixture(scope="session")
def engines(shared: Shared) -> Engines:
    """The broker and the record of `deployment`."""
    return shared.engines


@pytest.fixture(scope="session")
def deployment(shared: Shared) -> Deployment:
    return shared.deployment


@pytest.fixture(scope="session")
def client(shared: Shared) -> Client:
    """A client of `deployment`."""
    return shared.client


@pytest.fixture(scope="module")
def own_engines(
    setup_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """A broker and a record for the tests of one module."""
    if setup_name == "sqlite":
        made = _sqlite(tmp_path_factory)
    else:
        made = _servers(request.getfixturevalue("postgres_server"))
    with made as engines:
        yield engines


@pytest.fixture(scope="module")
def own_deployment(
    own_engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    with _deployment(own_engines, tmp_path_factory) as deployment:
        yield deployment


@contextmanager
def _sqlite(folders: pytest.TempPathFactory) -> Iterator[Engines]:
    yield Embedded(folders.mktemp("engines"))


@contextmanager
def _servers(postgres: PostgresServer) -> Iterator[Engines]:
    database = f"acceptance_{next(_numbers)}"
    with RedisServer() as redis:
        yield Servers(postgres.create_database(database), redis)
    postgres.drop_database(database)


def _deployment(engines: Engines, folders: pytest.TempPathFactory) -> Deployment:
    return Deployment(
        folders.mktemp("deployment"),
        broker_url=engines.broker_url,
        database_url=engines.database_url,
        env={"TASKGATE_QUEUES": ",".join(("celery", *IDLE_QUEUES))},
    )


@contextmanager
def _running(engines: Engines, folders: pytest.TempPathFactory) -> Iterator[Shared]:
    with _deployment(engines, folders) as deployment:
        deployment.start_server()
        deployment.start_worker("--concurrency=4", "--loglevel=info")
        yield Shared(engines, deployment, deployment.client())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes wrote beside a failure."""
    report = yield
    if report.failed:
        for deployment in item.funcargs.values():
            if isinstance(deployment, Deployment):
                report.sections.extend(deployment.log_tails())
    return report
