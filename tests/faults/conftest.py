"""Deployments to break: each test makes its own, from servers of its own where it breaks those.

Each case leaves its figures with `measured`; they are shown in a table at the end of a run, and
those in docs/reliability.md come from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import history
from support.deployment import Deployment
from support.engines import Engines
from support.invariants import Evidence

FOLDER = Path(__file__).parent

LEASE_SECONDS = 3

SHORT = {
    "test_between_steps.py::test_none_is_lost[database restarted-threads]",
    "test_child_killed.py::test_the_cap_is_reached_and_the_worker_stays_healthy[redis+postgresql]",
    "test_clocks_off.py::test_only_the_databases_clock_counts[redis+postgresql]",
    "test_commits_in_doubt.py::test_the_promises_hold[redis+postgresql]",
    "test_commits_in_doubt.py::test_the_promises_hold[sqla+sqlite]",
    "test_database_troubles.py::test_someone_locks_a_record_and_goes_away[threads]",
    "test_disk_full.py::test_refused_cleanly_and_healed[sqlite]",
    "test_fuzzing.py::test_each_request_is_answered_or_refused[a few]",
    "test_hostile_input.py::test_others_are_served_in_bounded_memory[malformed protobuf]",
    "test_mutated_messages.py::test_the_worker_goes_on[redis+postgresql-threads-1-200]",
    "test_postgres_restarted.py::test_no_false_failure_and_no_slot_lost[threads]",
    "test_server_killed.py::test_each_answered_submit_runs_once[sqla+sqlite]",
    "test_short.py::test_each_name_in_the_list_is_a_tests",
    "test_worker_frozen.py::test_what_it_says_later_is_void[redis+postgresql-threads]",
    "test_worker_killed.py::test_its_tasks_run_elsewhere[redis+postgresql-prefork]",
}
"""The cases that are in `make test` too; `make faults` runs them all."""

_numbers = itertools.count(1)
_deployments = pytest.StashKey[list[Deployment]]()
_figures = pytest.StashKey[list[str]]()
misnamed = pytest.StashKey[set[str]]()
"""What `SHORT` names in the files that were collected, though they have no such test."""

Deploy = Callable[..., Deployment]


@pytest.fixture
def engines_of(make_engines: Callable[..., Any]) -> Iterator[Callable[[str], Engines]]:
    """The engines of a setup for as long as the test runs."""
    with ExitStack() as exits:
        yield lambda setup: exits.enter_context(make_engines(setup))


@pytest.fixture
def deploy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deploy]:
    """Makes deployments with short leases, of which the database writes the history."""
    with ExitStack() as exits:

        def make(engines: Engines, env: Mapping[str, str] | None = None) -> Deployment:
            folder = tmp_path / f"deployment-{next(_numbers)}"
            folder.mkdir()
            deployment = Deployment(
                folder,
                broker_url=engines.broker.url,
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
        figures_so_far = request.config.stash.setdefault(_figures, [])
        figures_so_far.append(f"{name_of(request.node)}: {line}")

    return keep


def _shown(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, float) else str(value)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    names = {name_of(item) for item in items if item.path.parent == FOLDER}
    config.stash[misnamed] = {short for short in SHORT - names if _should_be_in(names, short)}
    for item in items:
        if item.path.parent == FOLDER and name_of(item) not in SHORT:
            item.add_marker(pytest.mark.long)


def _should_be_in(names: set[str], short: str) -> bool:
    """Whether its file was collected, or is gone."""
    file = short.partition("::")[0]
    return not (FOLDER / file).exists() or any(name.startswith(f"{file}::") for name in names)


def name_of(item: pytest.Item) -> str:
    return f"{item.path.name}::{item.name}"


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
