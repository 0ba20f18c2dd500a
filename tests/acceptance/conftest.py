"""Whole deployments, each of them on every setup; `make test` runs two, `make faults` the others.

`deployment` is one for the whole run, with a server and a prefork worker on the queue "celery"; the
tests share it and break nothing. A test that kills, freezes or restarts a part asks for
`own_deployment`, in which nothing runs yet.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from support.deployment import Deployment
from support.engines import QUEUES, SETUPS, Engines
from taskgate.client import Client

SHORT = ("sqla+sqlite", "redis+postgresql")
"""The setups that are in `make test`; each has a mirror, too."""

MakeEngines = Callable[..., AbstractContextManager[Engines]]


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(setup, marks=[] if setup in SHORT else [pytest.mark.long]) for setup in SETUPS
    ],
)
def setup_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@dataclass(frozen=True, slots=True)
class Shared:
    """What the tests share of one setup."""

    engines: Engines
    deployment: Deployment
    client: Client


@pytest.fixture(scope="session")
def start_shared(
    request: pytest.FixtureRequest,
    make_engines: MakeEngines,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Shared]:
    """Starts what is shared of a setup when it is first asked for; all run until the end.

    Not a fixture with a parameter: the files' tests alternate between the setups, and pytest would
    stop one to start the other.
    """

    @functools.cache
    def start(setup: str) -> Shared:
        exits = ExitStack()
        shared = exits.enter_context(
            _running(make_engines(setup, own_broker=True), tmp_path_factory)
        )
        # Not this fixture's finalizer: the servers that it stands on were started after it.
        request.session.addfinalizer(exits.close)
        return shared

    return start


@pytest.fixture(scope="session")
def shared(setup_name: str, start_shared: Callable[[str], Shared]) -> Shared:
    return start_shared(setup_name)


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
    with make_engines(setup_name, own_broker=True) as engines:
        yield engines


@pytest.fixture(scope="module")
def own_deployment(
    own_engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    with _deployment(own_engines, tmp_path_factory) as deployment:
        yield deployment


def _deployment(engines: Engines, folders: pytest.TempPathFactory) -> Deployment:
    return Deployment(
        folders.mktemp("deployment"),
        broker_url=engines.broker.url,
        database_url=engines.database_url,
        env={
            "TASKGATE_QUEUES": ",".join(QUEUES),
            "CELERY_RESULT_BACKEND": engines.mirror_url,
        },
    )


@contextmanager
def _running(
    making: AbstractContextManager[Engines], folders: pytest.TempPathFactory
) -> Iterator[Shared]:
    with making as engines, _deployment(engines, folders) as deployment:
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
