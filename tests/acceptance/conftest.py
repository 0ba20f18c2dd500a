"""Whole deployments, each of them on two setups.

`deployment` is one for the whole run, with a server and a prefork worker on the queue "celery"; the
tests share it and break nothing. A test that kills, freezes or restarts a part asks for
`own_deployment`, in which nothing runs yet.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.deployment import Deployment
from support.engines import Embedded, Engines, Servers
from support.redis import RedisServer
from taskgate.client import Client

_numbers = itertools.count(1)

IDLE_QUEUES = ("idle-1", "idle-2", "idle-3", "idle-4")
"""Queues that exist, though no worker serves them before a test starts one."""


@pytest.fixture(scope="session", params=["sqlite", "postgresql+redis"])
def setup_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def engines(
    setup_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """The broker and the record of `deployment`."""
    with _engines(setup_name, request, tmp_path_factory.mktemp("engines")) as engines:
        yield engines


@pytest.fixture(scope="session")
def deployment(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with _deployment(engines, tmp_path_factory.mktemp("deployment")) as deployment:
        deployment.start_server()
        deployment.start_worker("--concurrency=4", "--loglevel=info")
        yield deployment


@pytest.fixture(scope="session")
def client(deployment: Deployment) -> Client:
    """A client of `deployment`."""
    return deployment.client()


@pytest.fixture(scope="module")
def own_engines(
    setup_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """A broker and a record for the tests of one module."""
    with _engines(setup_name, request, tmp_path_factory.mktemp("engines")) as engines:
        yield engines


@pytest.fixture(scope="module")
def own_deployment(
    own_engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    with _deployment(own_engines, tmp_path_factory.mktemp("deployment")) as deployment:
        yield deployment


@contextmanager
def _engines(name: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Engines]:
    if name == "sqlite":
        yield Embedded(folder)
        return
    postgres = request.getfixturevalue("postgres_server")
    database = f"acceptance_{next(_numbers)}"
    with RedisServer() as redis:
        yield Servers(postgres.create_database(database), redis)
    postgres.drop_database(database)


@contextmanager
def _deployment(engines: Engines, folder: Path) -> Iterator[Deployment]:
    with Deployment(
        folder,
        broker_url=engines.broker_url,
        database_url=engines.database_url,
        env={"TASKGATE_QUEUES": ",".join(("celery", *IDLE_QUEUES))},
    ) as deployment:
        yield deployment


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
