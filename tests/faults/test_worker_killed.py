"""SIGKILL of a worker's main process and its children under load: its tasks run elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.deployment import Deployment
from support.engines import SETUPS, Engines
from support.invariants import check, wait_until_final
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import Deploy

TASKS = 300
SECONDS = 0.1
ABORTS = 60
"""Of tasks that wait, run, or are over; those that wait must not start."""

POOLS = {
    "prefork": ("--pool=prefork", "--concurrency=4"),
    "threads": ("--pool=threads", "--concurrency=4"),
    "solo": ("--pool=solo",),
}


def started(deployment: Deployment) -> int:
    return len(deployment.journal.count("start"))


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("setup", SETUPS)
def test_its_tasks_run_elsewhere(
    setup: str,
    pool: str,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    deployment = deploy(engines_of(setup))
    deployment.start_server()
    victim = deployment.start_worker(*POOLS[pool])
    deployment.start_worker("--pool=threads", "--concurrency=8")
    with traffic_to(deployment) as traffic:
        traffic.submit(TASKS, kwargs=lambda: {"seconds": SECONDS})
        wait_until(lambda: started(deployment) >= TASKS // 5, 60, "some tasks have started")
        victim.kill()
        killed_at = time.monotonic()
        traffic.abort(ABORTS)
        submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], 90)
    recovery = time.monotonic() - killed_at
    evidence = check(deployment, submissions)
    assert set(evidence.states) == {State.SUCCEEDED, State.ABORTED}
    assert evidence.states[State.ABORTED] <= ABORTS
    measured(evidence, aborted=evidence.states[State.ABORTED], recovery=recovery)
