"""SIGKILL of pool processes: the task that kills its own is given up, the others are not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.engines import SETUPS, Engines
from support.invariants import check, wait_until_final
from support.traffic import traffic_to
from taskgate.store import queries
from taskgate.store.lifecycle import Reason, State
from taskgate.store.record import Task

from .conftest import Deploy

TASKS = 200
LOSSES = 2
"""How often a task may lose its process and be run again."""


@pytest.mark.parametrize("setup", SETUPS)
def test_the_cap_is_reached_and_the_worker_stays_healthy(
    setup: str,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    deployment = deploy(engines_of(setup), {"TASKGATE_MAX_WORKER_LOSSES": str(LOSSES)})
    deployment.start_server()
    worker = deployment.start_worker("--pool=prefork", "--concurrency=4")
    began = time.monotonic()
    with traffic_to(deployment) as traffic:
        traffic.submit(TASKS // 2, kwargs=lambda: {"seconds": 0.02})
        traffic.submit(1, "journal.fatal")
        traffic.submit(1, "journal.fatal_once")
        traffic.submit(TASKS // 2, kwargs=lambda: {"seconds": 0.02})
        submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], 90)
    took = time.monotonic() - began
    evidence = check(deployment, submissions)
    by_type = {task.task_type: task for task in evidence.tasks.values()}
    assert_given_up(by_type["journal.fatal"], attempts=LOSSES + 1)
    assert_given_up(by_type["journal.fatal_once"], attempts=1)
    assert evidence.states == {State.SUCCEEDED: TASKS, State.FAILED: 2}
    assert worker.exit_code is None
    with traffic_to(deployment) as traffic:
        traffic.submit(10)
        later = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in later], 30)
    with deployment.database.read() as tx:
        states = {t.state for t in queries.get_many(tx, [s.task_id for s in later]).values()}
    assert states == {State.SUCCEEDED}
    measured(evidence, took=took)


def assert_given_up(task: Task, attempts: int) -> None:
    assert task.state is State.FAILED
    assert task.failure is not None
    assert task.failure.reason is Reason.WORKER_LOST
    assert len(task.attempts) == attempts, task
