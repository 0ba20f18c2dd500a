"""Deployments to break: each test makes its own, from servers of its own where it breaks those.

Each case leaves its figures with `measured`; they are shown in a table at the end of a run, and
those in docs/reliability.md come from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import history
from support.deployment import Deployment
from support.invariants import Evidence
from support.postgres import PostgresServer

LEASE_SECONDS = 3

SETUPS = ("redis+postgresql", "rabbitmq+postgresql", "sqla+postgresql", "sqla+sqlite")
"""Broker and record."""

_numbers = itertools.count(1)
_deployments = pytest.StashKey[list[Deployment]]()
_figures = pytest.StashKey[list[str]]()

Deploy = Callable[..., Deployment]


@dataclass(frozen=True)
class Engines:
    """The broker and the record of a deployment."""

    broker_url: str
    database_url: str


@pytest.fixture
def engines_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Engines]:
    """The engines of one of `SETUPS`, empty."""

    def make(setup: str) -> Engines:
        broker, record = setup.split("+")
        record_url = _url(request, {"postgresql": "postgres_url", "sqlite": "sqlite_url"}[record])
        if broker != "sqla":
            broker_url = _url(request, {"redis": "redis_url", "rabbitmq": "amqp_url"}[broker])
        elif record == "sqlite":
            broker_url = f"sqla+sqlite:///{tmp_path / 'broker.db'}"
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            broker_url = "sqla+" + server.create_database(f"broker_{next(_numbers)}")
        return Engines(broker_url, record_url)

    return make


def _url(request: pytest.FixtureRequest, fixture: str) -> str:
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def deploy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deploy]:
    """Makes deployments with short leases, of which the database writes the history."""
    with ExitStack() as exits:

        def make(engines: Engines, env: Mapping[str, str] | None = None) -> Deployment:
            folder = tmp_path / f"deployment-{next(_numbers)}"
            folder.mkdir()
            deployment = Deployment(
                folder,
                broker_url=engines.broker_url,
                database_url=engines.database_url,
                env={"TASKGATE_LEASE_SECONDS": str(LEASE_SECONDS), **(env or {})},
            )
            history.write_history(deployment.database)
            exits.enter_context(deployment)
            request.node.stash.setdefault(_deployments, []).append(deployment)
            return deployment

        yield make


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keeps the figures of a case for the table at the end."""

    def keep(evidence: Evidence, **figures: object) -> None:
        shown = {
            "tasks": len(evidence.tasks),
            "lost": 0,
            "run twice": evidence.run_twice,
            "attempts lost": evidence.lost_attempts,
            **{name.replace("_", " "): value for name, value in figures.items()},
        }
        line = ", ".join(f"{name} {_shown(value)}" for name, value in shown.items())
        name = request.node.nodeid.rpartition("/")[2]
        request.config.stash.setdefault(_figures, []).append(f"{name}: {line}")

    return keep


def _shown(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, float) else str(value)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    figures = config.stash.get(_figures, [])
    if figures:
        terminalreporter.section("measured")
        for line in figures:
            terminalreporter.line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes wrote beside a failure."""
    report = yield
    if report.failed:
        for deployment in item.stash.get(_deployments, []):
            report.sections.extend(deployment.log_tails())
    return report
