"""A worker in a network of its own: cut off from the database, then with a bad link to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.deployment import COMMANDS, Deployment
from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.network import Island, Relay, island
from support.processes import Process
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import LEASE_SECONDS, Deploy

TASKS = 300
LONG = 4
DELAY_SECONDS = 0.05
LOSS_PERCENT = 10


@contextmanager
def relay_to(url: str, link: Island) -> Iterator[tuple[Relay, str]]:
    """A relay that the island reaches, and the URL by which it finds the server behind it."""
    parts = urlsplit(url)
    assert parts.port is not None
    relay = Relay(link.address, parts.port)
    user = f"{parts.username}@" if parts.username else ""
    try:
        yield relay, parts._replace(netloc=f"{user}{link.address}:{relay.port}").geturl()
    finally:
        relay.close()


@contextmanager
def far_worker(
    deployment: Deployment, link: Island, database_url: str, broker_url: str
) -> Iterator[Process]:
    env = {**deployment.env, "POSTGRES_URL": database_url, "CELERY_BROKER_URL": broker_url}
    command: list[str | Path] = [
        *link.prefix,
        COMMANDS / "taskgate",
        "worker",
        "--pool=prefork",
        "--concurrency=4",
    ]
    log = deployment.folder / "far-worker.log"
    with Process([*command, "--queues=celery,far"], log=log, env=env) as worker:
        worker.wait_ready(lambda: deployment.has_worker(worker.pid))
        yield worker


@pytest.mark.timeout(240)
def test_cut_off_from_the_database_only(
    redis_server: RedisServer, postgres_url: str, deploy: Deploy, measured: Callable[..., None]
) -> None:
    broker = RedisBroker(redis_server)
    deployment = deploy(Engines(broker, postgres_url))
    with (
        island() as link,
        relay_to(postgres_url, link) as (to_database, database_url),
        relay_to(broker.url, link) as (_, broker_url),
    ):
        deployment.start_server()
        with far_worker(deployment, link, database_url, broker_url) as worker:
            with traffic_to(deployment) as traffic:
                traffic.submit(LONG, kwargs=lambda: {"seconds": 2 * LEASE_SECONDS})
                wait_until(lambda: len(deployment.journal.count("start")) == LONG, 30, "they run")
                link.drop(to_database.port)
                cut_at = time.monotonic()
                deployment.start_worker("--pool=threads", "--concurrency=4")
                traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.1})
                submissions = traffic.wait()
            # The tasks that it was running, and those that it still takes, run elsewhere.
            wait_until_final(deployment, [s.task_id for s in submissions], 120)
            assert time.monotonic() - cut_at > LEASE_SECONDS
            recovery = time.monotonic() - cut_at
            link.restore()
            healed_at = time.monotonic()
            wait_until(lambda: deployment.has_worker(worker.pid), 60, "it has a lease again")
            leased_after = time.monotonic() - healed_at
            run_on_it_alone(deployment)
            to_database.delay = DELAY_SECONDS
            link.drop(to_database.port, LOSS_PERCENT)
            run_on_it_alone(deployment)
            link.restore()
            evidence = check(deployment, submissions)
            assert set(evidence.states) == {State.SUCCEEDED}
            assert evidence.lost_attempts >= LONG
            assert worker.exit_code is None
            measured(evidence, recovery=recovery, lease_again_after=leased_after)


def run_on_it_alone(deployment: Deployment) -> None:
    with traffic_to(deployment) as traffic:
        traffic.submit(50, kwargs=lambda: {"seconds": 0.05}, queue="far")
        submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], 90)
