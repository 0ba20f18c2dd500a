"""PostgreSQL fails over to a standby, which only reads for a while, while tasks end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.postgres import PostgresServer
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import Deploy

TASKS = 12
RUN_SECONDS = 3.0
READ_ONLY_SECONDS = 6.0


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
