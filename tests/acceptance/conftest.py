"""Whole deployments, each of them on every setup; `make test` runs two, `make faults` the others.

`deployment` is one for the whole run, with a server and a prefork worker on the queue "celery"; the
tests share it and break nothing. A test that kills, freezes or restarts a part asks for
`own_deployment`, in which nothing runs yet.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from support.deployment import Deployment
from support.engines import Embedded, Engines, OnPostgres, OnRabbitMQ, OnRedis
from support.postgres import PostgresServer
from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from taskgate.client import Client

_numbers = itertools.count(1)

IDLE_QUEUES = ("idle-1", "idle-2", "idle-3", "idle-4")
"""Queues that exist, though no worker serves them before a test starts one."""


ON_RABBITMQ, ON_POSTGRES = "postgresql+rabbitmq", "postgresql+sqla"

SETUPS = (
    "sqlite",
    "postgresql+redis",
    pytest.param(ON_RABBITMQ, marks=pytest.mark.long),
    pytest.param(ON_POSTGRES, marks=pytest.mark.long),
)
"""Record and broker; each has a mirror, too."""


@pytest.fixture(scope="session", params=SETUPS)
def setup_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@dataclass(frozen=True, slots=True)
class Shared:
    """What the tests share of one setup."""

    engines: Engines
    deployment: Deployment
    client: Client


MakeEngines = Callable[[str], AbstractContextManager[Engines]]
StartShared = Callable[[Engines], AbstractContextManager[Shared]]


# A fixture each, so that pytest keeps all when the files' tests alternate between them.


@pytest.fixture(scope="session")
def shared_sqlite(make_engines: MakeEngines, start_shared: StartShared) -> Iterator[Shared]:
    with make_engines("sqlite") as engines, start_shared(engines) as shared:
        yield shared


@pytest.fixture(scope="session")
def shared_redis(make_engines: MakeEngines, start_shared: StartShared) -> Iterator[Shared]:
    with make_engines("postgresql+redis") as engines, start_shared(engines) as shared:
        yield shared


@pytest.fixture(scope="session")
def shared_rabbitmq(make_engines: MakeEngines, start_shared: StartShared) -> Iterator[Shared]:
    with make_engines(ON_RABBITMQ) as engines, start_shared(engines) as shared:
        yield shared


@pytest.fixture(scope="session")
def shared_sqla(make_engines: MakeEngines, start_shared: StartShared) -> Iterator[Shared]:
    with make_engines(ON_POSTGRES) as engines, start_shared(engines) as shared:
        yield shared


@pytest.fixture(scope="session")
def shared(setup_name: str, request: pytest.FixtureRequest) -> Shared:
    shared: Shared = request.getfixturevalue("shared_" + setup_name.rpartition("+")[2])
    return shared


@pytest.fixture(scope="session")
def engines(shared: Shared) -> Engines:
    """The broker, the record and the mirror of `deployment`."""
    return shared.engines


@pytest.fixture(scope="session")
def deployment(shared: Shared) -> Deployment:
    return shared.deployment


@pytest.fixture(scope="session")
def client(shared: Shared) -> Client:
    """A client of `deployment`."""
    return shared.client


@pytest.fixture(scope="module")
def own_engines(setup_name: str, make_engines: MakeEngines) -> Iterator[Engines]:
    """A broker and a record for the tests of one module."""
    with make_engines(setup_name) as engines:
        yield engines


@pytest.fixture(scope="module")
def own_deployment(
    own_engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    with _deployment(own_engines, tmp_path_factory) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def make_engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> MakeEngines:
    """Makes the broker and the record of a setup."""

    @contextmanager
    def make(setup_name: str) -> Iterator[Engines]:
        if setup_name == "sqlite":
            yield Embedded(tmp_path_factory.mktemp("engines"))
            return
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        number = next(_numbers)
        record = postgres.create_database(f"acceptance_{number}")
        with _broker(setup_name, postgres, record, f"acceptance_broker_{number}") as engines:
            yield engines
        postgres.drop_database(f"acceptance_{number}")

    return make


@contextmanager
def _broker(
    setup_name: str, postgres: PostgresServer, record: str, broker_name: str
) -> Iterator[Engines]:
    if setup_name == ON_POSTGRES:
        yield OnPostgres(record, postgres.create_database(broker_name))
        postgres.drop_database(broker_name)
    elif setup_name == ON_RABBITMQ:
        with RabbitMQServer() as rabbitmq:
            yield OnRabbitMQ(record, rabbitmq, ("celery", *IDLE_QUEUES))
    else:
        with RedisServer() as redis:
            yield OnRedis(record, redis)


@pytest.fixture(scope="session")
def start_shared(tmp_path_factory: pytest.TempPathFactory) -> StartShared:
    """Starts the deployment that the tests share."""
    return lambda engines: _running(engines, tmp_path_factory)


def _deployment(engines: Engines, folders: pytest.TempPathFactory) -> Deployment:
    return Deployment(
        folders.mktemp("deployment"),
        broker_url=engines.broker_url,
        database_url=engines.database_url,
        env={
            "TASKGATE_QUEUES": ",".join(("celery", *IDLE_QUEUES)),
            "CELERY_RESULT_BACKEND": engines.mirror_url,
        },
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
