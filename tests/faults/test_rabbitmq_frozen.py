"""RabbitMQ frozen while clients submit, then killed; and RabbitMQ that runs out of patience."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from support.engines import Engines, RabbitMQBroker
from support.invariants import check, wait_until_final
from support.rabbitmq import RabbitMQServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import Deploy

TASKS = 400

ANSWERED_SECONDS = 5.0
"""A Submit waits for the record only, however busy the machine is."""

CONSUMER_TIMEOUT_SECONDS = 5


@pytest.mark.timeout(180)
def test_frozen_then_killed(
    postgres_url: str, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with RabbitMQServer() as rabbitmq:
        deployment = deploy(Engines(RabbitMQBroker(rabbitmq), postgres_url))
        deployment.start_server()
        deployment.start_worker("--pool=threads", "--concurrency=4")
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS // 2)
            wait_until(lambda: traffic.acknowledged > TASKS // 4, 30, "submits are under way")
            rabbitmq.pause()
            traffic.submit(TASKS // 2)
            submissions = traffic.wait()
        rabbitmq.kill()
        rabbitmq.start()
        restarted_at = time.monotonic()
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
        recovery = time.monotonic() - restarted_at
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert evidence.run_twice == 0
        longest = max(s.longest_call for s in submissions)
        assert longest < ANSWERED_SECONDS
        assert max(s.calls for s in submissions) == 1
        measured(evidence, longest_submit=longest, recovery=recovery)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_tasks_longer_than_its_consumer_timeout(
    pool: str, postgres_url: str, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with RabbitMQServer() as rabbitmq:
        milliseconds = CONSUMER_TIMEOUT_SECONDS * 1000
        rabbitmq.control("eval", f"application:set_env(rabbit, consumer_timeout, {milliseconds}).")
        # How often it looks; the default is a minute.
        rabbitmq.control("eval", "application:set_env(rabbit, channel_tick_interval, 1000).")
        deployment = deploy(Engines(RabbitMQBroker(rabbitmq), postgres_url))
        deployment.start_server()
        worker = deployment.start_worker(f"--pool={pool}", "--concurrency=4")
        with traffic_to(deployment) as traffic:
            traffic.submit(4, kwargs=lambda: {"seconds": 4 * CONSUMER_TIMEOUT_SECONDS})
            traffic.submit(TASKS)
            submissions = traffic.wait()
        wait_until(lambda: closed_a_channel(rabbitmq), 60, "RabbitMQ closes the channel")
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS + 4}
        assert evidence.run_twice == 0
        assert worker.exit_code is None
        measured(evidence)


def closed_a_channel(rabbitmq: RabbitMQServer) -> bool:
    assert rabbitmq.process is not None
    return "timed out" in rabbitmq.process.output
