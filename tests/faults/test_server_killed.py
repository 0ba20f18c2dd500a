"""SIGKILL of the server at random moments, while clients repeat what was not answered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from support.deployment import Deployment
from support.engines import SETUPS, Engines
from support.invariants import check, wait_until_final
from support.traffic import Traffic, traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.store.tables import tasks

from .conftest import Deploy

TASKS = 600
KILLS = 6


@pytest.mark.parametrize("setup", SETUPS)
def test_each_answered_submit_runs_once(
    setup: str,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    deployment = deploy(engines_of(setup))
    with deployment.start_server():
        deployment.start_worker("--pool=threads", "--concurrency=8")
    with traffic_to(deployment) as traffic:
        traffic.submit(TASKS)
        for number in range(KILLS):
            kill_after_some(deployment, traffic, TASKS * number // KILLS)
        restarted_at = time.monotonic()
        deployment.start_server()
        submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], 90)
    recovery = time.monotonic() - restarted_at
    evidence = check(deployment, submissions)
    assert evidence.states == {State.SUCCEEDED: TASKS}
    assert evidence.run_twice == 0
    assert recorded(deployment) == TASKS  # repeating a request made no second task
    repeated = sum(s.calls > 1 for s in submissions)
    assert repeated
    measured(evidence, kills=KILLS, submits_repeated=repeated, recovery=recovery)


def kill_after_some(deployment: Deployment, traffic: Traffic, number: int) -> None:
    with deployment.start_server() as server:
        wait_until(lambda: traffic.acknowledged > number, 60, f"{number} were acknowledged")
        time.sleep(random.uniform(0, 0.2))
        server.kill()


def recorded(deployment: Deployment) -> int:
    with deployment.database.read() as tx:
        return tx.execute(select(func.count()).select_from(tasks)).scalar_one()
