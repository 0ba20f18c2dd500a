"""PostgreSQL's immediate restart, again and again, while tasks are claimed and finished."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from support.deployment import Deployment
from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.postgres import PostgresServer
from support.processes import Process
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.v1.task_service_pb2 import AbortRequest

from .conftest import Deploy

TASKS = 800
RESTARTS = 6
BETWEEN_SECONDS = 2.0
SLOTS = 4

SECONDS = {"prefork": 0.1, "threads": 0.05, "solo": 0.02}
"""How long a task runs with each pool: long enough to have some in flight at the last restart."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("pool", SECONDS)
def test_no_false_failure_and_no_slot_lost(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with PostgresServer() as postgres:
        deployment = deploy(Engines(RedisBroker(redis_server), postgres.create_database("record")))
        deployment.start_server()
        worker = deployment.start_worker(f"--pool={pool}", f"--concurrency={SLOTS}")
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS, kwargs=lambda: {"seconds": SECONDS[pool]})
            for _ in range(RESTARTS):
                time.sleep(BETWEEN_SECONDS)
                assert len(deployment.journal.count("end")) < TASKS  # else it proves nothing
                restart_immediately(postgres)
            restarted_at = time.monotonic()
            submissions = traffic.wait()
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
        recovery = time.monotonic() - restarted_at
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert_all_slots_work(deployment, worker, 1 if pool == "solo" else SLOTS)
        measured(evidence, restarts=RESTARTS, recovery=recovery)


def restart_immediately(postgres: PostgresServer) -> None:
    """As `pg_ctl restart -m immediate`: nobody says goodbye, and the log is replayed."""
    assert postgres.process is not None
    postgres.process.send(signal.SIGQUIT)
    postgres.process.wait()
    postgres.start()


def assert_all_slots_work(deployment: Deployment, worker: Process, slots: int) -> None:
    """As many tasks as the worker has slots run at one time."""
    with traffic_to(deployment) as traffic:
        traffic.submit(slots, "journal.abortable", kwargs=lambda: {"seconds": 60})
        ids = {s.task_id for s in traffic.wait()}
    wait_until(lambda: ids <= set(deployment.journal.count("start")), 30, "all slots are in use")
    stub = deployment.stub()
    for task_id in ids:
        stub.Abort(AbortRequest(id=task_id), timeout=20)
    wait_until_final(deployment, ids, 30)
    assert worker.exit_code is None
