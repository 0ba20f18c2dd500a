"""PostgreSQL fails over to a standby, which only reads for a while, while tasks end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from support.deployment import Deployment
from support.engines import Engines, RedisBroker
from support.invariants import (
    check,
    check_all_final,
    check_lawful,
    check_submits,
    gather,
    wait_until_final,
)
from support.postgres import USER, PostgresServer, PostgresStandby
from support.redis import RedisServer
from support.traffic import Submission, submit_until_acknowledged, traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.v1.task_service_pb2 import SubmitRequest

from .conftest import Deploy

POOLS = ("threads",)
TASKS = 12
RUN_SECONDS = 3.0
READ_ONLY_SECONDS = 6.0

MANY = 400
"""Tasks in flight while the primary dies."""

DELAY_SECONDS = 15
"""Until tasks are due that the standby knows of, and whose run it never hears of."""

LONG_LEASE = {"TASKGATE_LEASE_SECONDS": "60"}
"""Longer than a failover takes: nobody is given up for dead."""


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_what_ends_before_the_promotion_is_recorded_after_it(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with PostgresServer() as postgres:
        engines = Engines(RedisBroker(redis_server), postgres.create_database("record"))
        # Longer than the standby only reads: no worker is given up for dead meanwhile.
        deployment = deploy(engines, env={"TASKGATE_LEASE_SECONDS": "30"})
        deployment.start_server()
        slots = 1 if pool == "solo" else TASKS
        deployment.start_worker(f"--pool={pool}", f"--concurrency={slots}")
        with traffic_to(deployment) as traffic:
            traffic.submit(slots, kwargs=lambda: {"seconds": RUN_SECONDS})
            submissions = traffic.wait()
            wait_until(lambda: len(deployment.journal.count("start")) == slots, 60, "all run")
            postgres.stop()
            postgres.make_standby()
            postgres.start()
            time.sleep(READ_ONLY_SECONDS)  # all of them end meanwhile
            assert len(deployment.journal.count("end")) == slots
            with deployment.database.autocommit() as tx:
                tx.execute(text("SELECT pg_promote()"))
            promoted_at = time.monotonic()
        wait_until_final(deployment, [s.task_id for s in submissions], 60)
        recovery = time.monotonic() - promoted_at
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: slots}
        assert len(deployment.journal.count("start")) == slots  # none ran again
        measured(evidence, restarts=1, recovery=recovery)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.timeout(600)
def test_a_synchronous_standby_has_all_that_was_acknowledged(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with PostgresServer() as primary:
        primary.create_database("record")
        with PostgresStandby(primary) as standby:
            primary.commit_on(standby)
            engines = Engines(RedisBroker(redis_server), either(primary, standby))
            deployment = deploy(engines, env=LONG_LEASE)
            server = deployment.start_server()
            worker = deployment.start_worker(f"--pool={pool}", "--concurrency=4")
            with traffic_to(deployment) as traffic:
                traffic.submit(MANY, kwargs=lambda: {"seconds": 0.02})
                wait_until(lambda: len(deployment.journal.count("end")) > 50, 60, "tasks end")
                primary.kill()
                failed_at = time.monotonic()
                standby.promote()
                submissions = traffic.wait()
                wait_until_final(deployment, [s.task_id for s in submissions], 120)
                recovery = time.monotonic() - failed_at
            evidence = check(deployment, submissions)
            assert evidence.states == {State.SUCCEEDED: MANY}
            assert evidence.run_twice == 0
            assert server.exit_code is None
            assert worker.exit_code is None
            measured(evidence, recovery=recovery)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.timeout(600)
def test_an_asynchronous_standby_lacks_its_last_commits_and_no_others(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    """What it had not heard of is submitted again with its request id; what it had not heard end
    runs again; all the rest is as it was.
    """
    with PostgresServer() as primary:
        primary.create_database("record")
        with PostgresStandby(primary) as standby:
            engines = Engines(RedisBroker(redis_server), either(primary, standby))
            deployment = deploy(engines, env=LONG_LEASE)
            server = deployment.start_server()
            worker = deployment.start_worker(f"--pool={pool}", "--concurrency=4")
            kept = finished(deployment, [request("kept", number) for number in range(TASKS)])
            late = submitted(
                deployment, [request("late", number, DELAY_SECONDS) for number in range(TASKS)]
            )
            standby.wait_until_current()
            standby.stop()
            unheard_of = [request("lost", number) for number in range(TASKS)]
            lost = finished(deployment, unheard_of)
            wait_until_final(deployment, ids_of(late), 60)
            primary.kill()
            standby.start()
            standby.promote()
            again = finished(deployment, unheard_of)
            wait_until_final(deployment, ids_of(late), 60)

            evidence = gather(deployment)
            assert not ids_of(lost) & evidence.tasks.keys()
            check_all_final(evidence, [*kept, *late, *again])
            check_lawful(evidence)
            check_submits([*kept, *late, *again])
            assert evidence.states == {State.SUCCEEDED: 3 * TASKS}
            runs = deployment.journal.count("start")
            assert {runs[task_id] for task_id in ids_of(kept)} == {1}
            assert {runs[task_id] for task_id in ids_of(late)} == {2}
            assert server.exit_code is None
            assert worker.exit_code is None
            measured(evidence, acknowledged_and_lost=len(lost))


def either(primary: PostgresServer, standby: PostgresServer) -> str:
    """The address of whichever of the two can write."""
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in (primary, standby))
    return f"postgresql://{USER}@/record?{hosts}&target_session_attrs=read-write"


def request(name: str, number: int, delay_seconds: int = 0) -> SubmitRequest:
    made = SubmitRequest(task_type="journal.run", request_id=f"{name}-{number}")
    if delay_seconds:
        made.delay.FromSeconds(delay_seconds)
    return made


def submitted(deployment: Deployment, requests: list[SubmitRequest]) -> list[Submission]:
    stub = deployment.stub()
    return [submit_until_acknowledged(stub, request) for request in requests]


def finished(deployment: Deployment, requests: list[SubmitRequest]) -> list[Submission]:
    submissions = submitted(deployment, requests)
    wait_until_final(deployment, ids_of(submissions), 60)
    return submissions


def ids_of(submissions: list[Submission]) -> set[str]:
    return {submission.task_id for submission in submissions}
