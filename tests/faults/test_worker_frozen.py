"""SIGSTOP of a worker beyond its lease: its tasks run elsewhere, and what it says later is void."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.deployment import Deployment
from support.engines import SETUPS, Engines
from support.invariants import check, wait_until_final
from support.processes import Process
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import Outcome, State

from .conftest import Deploy

TASKS = 200


@pytest.mark.parametrize("pool", ["prefork", "threads"])
@pytest.mark.parametrize("setup", SETUPS)
def test_what_it_says_later_is_void(
    setup: str,
    pool: str,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    deployment = deploy(engines_of(setup))
    deployment.start_server()
    frozen = deployment.start_worker(f"--pool={pool}", "--concurrency=4", "--queues=celery,slow")
    with traffic_to(deployment) as traffic:
        traffic.submit(4, kwargs=lambda: {"seconds": 5, "value": "slow"})
        wait_until(lambda: len(deployment.journal.count("start")) == 4, 30, "four run")
        frozen.pause()
        paused_at = time.monotonic()
        deployment.start_worker("--pool=threads", "--concurrency=8")
        traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.05})
        submissions = traffic.wait()
    ids = [s.task_id for s in submissions]
    wait_until_final(deployment, ids, 90)
    recovery = time.monotonic() - paused_at
    frozen.resume()
    slow = ids[:4]
    # What slept goes on, ends, and has lost the right to say so.
    wait_until(
        lambda: all(len(deployment.journal.of(task_id)) == 4 for task_id in slow), 30, "both ended"
    )
    wait_until(lambda: deployment.has_worker(frozen.pid), 30, "it has another lease")
    evidence = check(deployment, submissions)
    assert evidence.states == {State.SUCCEEDED: TASKS + 4}
    for task_id in slow:
        task = evidence.tasks[task_id]
        assert [attempt.outcome for attempt in task.attempts] == [Outcome.LOST, Outcome.SUCCEEDED]
    measured(evidence, recovery=recovery)
    assert_goes_on(deployment, frozen)


def assert_goes_on(deployment: Deployment, worker: Process) -> None:
    """It alone serves the queue "slow"."""
    with traffic_to(deployment) as traffic:
        traffic.submit(20, queue="slow")
        submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], 60)
    assert check(deployment).states[State.FAILED] == 0
    assert worker.exit_code is None
