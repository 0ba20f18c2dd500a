"""Redis frozen: Submit answers, dead workers are noticed, and all goes on when it answers again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import Deploy

TASKS = 300
LONG = 4
ANSWERED_SECONDS = 5.0
"""A Submit waits for the record only, however busy the machine is."""


@pytest.mark.timeout(180)
def test_a_worker_dies_meanwhile(
    postgres_url: str, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with RedisServer() as redis:
        deployment = deploy(Engines(RedisBroker(redis), postgres_url))
        deployment.start_server()
        victim = deployment.start_worker("--pool=prefork", "--concurrency=4")
        with traffic_to(deployment) as traffic:
            traffic.submit(LONG, kwargs=lambda: {"seconds": 20})
            wait_until(lambda: len(deployment.journal.count("start")) == LONG, 30, "they run")
            redis.pause()
            traffic.submit(TASKS - LONG)
            submissions = traffic.wait()
        victim.kill()
        killed_at = time.monotonic()
        wait_until(lambda: deployment.workers()[0].lost_at is not None, 60, "its death is noticed")
        noticed = time.monotonic() - killed_at
        redis.resume()
        deployment.start_worker("--pool=threads", "--concurrency=8")
        wait_until_final(deployment, [s.task_id for s in submissions], 90)
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert evidence.lost_attempts == LONG
        longest = max(s.longest_call for s in submissions)
        assert longest < ANSWERED_SECONDS
        measured(evidence, longest_submit=longest, death_noticed_after=noticed)
