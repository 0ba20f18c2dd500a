"""Deaths among quick tasks, of which workers have many taken, claimed, running and ended at once.

The tasks do next to nothing, so a worker looks far ahead and every moment is between two steps of
some attempts: what dies at random dies between any two of them.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from support.deployment import Deployment
from support.engines import Engines, RedisBroker
from support.invariants import Evidence, check, wait_until_final
from support.postgres import PostgresServer
from support.processes import Process, descendants
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import Deploy
from .test_postgres_restarted import assert_all_slots_work, restart_immediately

TASKS = 900
TIMES = 3
SLOTS = 2

Start = Callable[[], Process]


def kill_main(worker: Process, start: Start, _: PostgresServer) -> Process:
    worker.kill()
    return start()


def stop_warm(worker: Process, start: Start, _: PostgresServer) -> Process:
    assert worker.stop(60) == 0
    return start()


def stop_cold(worker: Process, start: Start, _: PostgresServer) -> Process:
    worker.send(signal.SIGQUIT)
    worker.wait(60)
    return start()


def kill_process(worker: Process, _: Start, __: PostgresServer) -> Process:
    if children := descendants(worker.pid):
        with suppress(ProcessLookupError):
            os.kill(random.choice(children), signal.SIGKILL)
    return worker


def restart_database(worker: Process, _: Start, postgres: PostgresServer) -> Process:
    restart_immediately(postgres)
    return worker


CASES = {
    "main process killed": (kill_main, ("prefork", "threads")),
    "pool process killed": (kill_process, ("prefork",)),
    "database restarted": (restart_database, ("prefork", "threads")),
    "stopped warm": (stop_warm, ("prefork", "threads")),
    "stopped cold": (stop_cold, ("threads",)),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("case", "pool"), [(case, pool) for case, (_, pools) in CASES.items() for pool in pools]
)
def test_none_is_lost(
    case: str, pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    fault, _ = CASES[case]
    with PostgresServer() as postgres:
        deployment = deploy(
            Engines(RedisBroker(redis_server), postgres.create_database("record")),
            {"TASKGATE_MAX_WORKER_LOSSES": str(2 * TIMES)},
        )
        deployment.start_server()

        def start() -> Process:
            return deployment.start_worker(f"--pool={pool}", f"--concurrency={SLOTS}")

        worker = start()
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS)
            for number in range(1, TIMES + 1):
                wait_until(lambda: done(deployment) >= TASKS * number // (TIMES + 2), 90)  # noqa: B023
                time.sleep(random.uniform(0, 0.05))
                worker = fault(worker, start, postgres)
            submissions = traffic.wait()
        began = time.monotonic()
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
        recovery = time.monotonic() - began
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        if case in ("stopped warm", "database restarted"):
            assert evidence.run_twice == 0
        assert_all_slots_work(deployment, worker, SLOTS)
        measured(evidence, times=TIMES, returned=returned(evidence), recovery=recovery)


def done(deployment: Deployment) -> int:
    return len(deployment.journal.count("end"))


def returned(evidence: Evidence) -> int:
    """How many attempts were given back, or lost, before they started."""
    return sum(len(task.past_attempts) for task in evidence.tasks.values())
