"""Workers whose clocks are an hour off, each way: only the database's clock counts.

Not with SQLite, whose clock is that of whoever asks it: all its processes are on one machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from support.clocks import clock_off
from support.engines import SETUPS, Engines
from support.invariants import check, wait_until_final
from support.traffic import traffic_to
from taskgate.store.lifecycle import State

from .conftest import Deploy

HOUR = timedelta(hours=1)

TASKS = 300
FLAKY = 10
IN_TIME = 90.0
"""Seconds; an hour would be a clock's error."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("setup", [setup for setup in SETUPS if "postgresql" in setup])
def test_only_the_databases_clock_counts(
    setup: str,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    deployment = deploy(engines_of(setup))
    deployment.start_server()
    for off in (HOUR, -HOUR):
        env = clock_off(off, deployment.folder)
        deployment.start_worker("--pool=threads", "--concurrency=4", env=env)
    began = time.monotonic()
    with traffic_to(deployment) as traffic:
        ttl = timedelta(minutes=30)
        traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.02}, ttl=ttl)
        traffic.submit(FLAKY, "journal.flaky", kwargs=lambda: {"failures": 2})
        traffic.submit(FLAKY, delay=timedelta(seconds=2), ttl=ttl)
        submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], IN_TIME)
    took = time.monotonic() - began
    evidence = check(deployment, submissions)
    assert evidence.states == {State.SUCCEEDED: TASKS + 2 * FLAKY}
    assert evidence.lost_attempts == 0
    assert clocks_differ(deployment.journal.path)
    measured(evidence, took=took)


def clocks_differ(journal: Path) -> bool:
    """Whether the workers' clocks really were as far apart as they should be."""
    times = [float(line.split()[3]) for line in journal.read_text().splitlines()]
    return max(times) - min(times) > (1.9 * HOUR).total_seconds()
