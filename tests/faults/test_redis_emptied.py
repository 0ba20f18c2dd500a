"""Redis without persistence: killed with a long backlog, restarted empty."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import func, select

from support.deployment import Deployment
from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.store.tables import outbox

from .conftest import Deploy

TASKS = 1_000
TAKEN = 2
"""What the frozen worker had asked for before."""


@pytest.mark.timeout(180)
def test_the_whole_backlog_runs_and_none_of_it_twice(
    postgres_url: str, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with RedisServer() as redis:
        deployment = deploy(Engines(RedisBroker(redis), postgres_url))
        deployment.start_server()
        worker = deployment.start_worker("--pool=solo")
        with traffic_to(deployment) as traffic:
            worker.pause()
            traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.02})
            submissions = traffic.wait()
        wait_until(lambda: unpublished(deployment) == 0, 30, "all are published")
        assert waiting(redis) >= TASKS - TAKEN
        redis.kill()
        redis.start()
        restarted_at = time.monotonic()
        worker.kill()
        deployment.start_worker("--pool=threads", "--concurrency=4")
        deployment.start_worker("--pool=threads", "--concurrency=4")
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
        recovery = time.monotonic() - restarted_at
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert evidence.run_twice == 0
        again = deployment.published_again()
        assert TASKS <= again <= 2 * TASKS
        measured(evidence, published_again=again, recovery=recovery)


def waiting(redis: RedisServer) -> int:
    with closing(redis.client()) as client:
        lists = [key for key in client.scan_iter() if client.type(key) == b"list"]
        return sum(client.llen(key) for key in lists)


def unpublished(deployment: Deployment) -> int:
    rows = select(func.count()).where(outbox.c.published_at.is_(None))
    with deployment.database.read() as tx:
        return tx.execute(rows).scalar_one()
