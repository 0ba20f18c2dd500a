"""Messages that the broker loses: found in a queue that is empty, and in one that never is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from redis import Redis
from sqlalchemy import func, select, text

from support.deployment import Deployment
from support.engines import Engines
from support.invariants import check, wait_until_final
from support.records import new_task
from support.traffic import Traffic, traffic_to
from support.waiting import wait_until
from taskgate.store import submission
from taskgate.store.lifecycle import State
from taskgate.store.outbox import CLAIM_TIMEOUT, WATERMARK_MARGIN
from taskgate.store.tables import outbox
from taskgate.tasks.app import create_app
from taskgate.tasks.background.sweeper import sweeper_of
from taskgate.tasks.settings import Settings

from .conftest import Deploy

SETUP = "redis+postgresql"
BACKLOG = 100_000

HELD_BACK = 3
"""Messages that a busy worker has taken ahead."""


@pytest.fixture
def engines(engines_of: Callable[[str], Engines]) -> Engines:
    return engines_of(SETUP)


@contextmanager
def lists_of(engines: Engines) -> Iterator[tuple[Redis, list[bytes]]]:
    """A client of the broker, and the lists in which messages wait."""
    with closing(Redis.from_url(engines.broker.url)) as client:
        yield client, [key for key in client.scan_iter() if client.type(key) == b"list"]


@contextmanager
def always_full(traffic: Traffic, deployment: Deployment) -> Iterator[None]:
    """Keep more tasks waiting than the workers can run in the meantime."""
    traffic.submit(600, kwargs=lambda: {"seconds": 0.1})
    wait_until(lambda: traffic.acknowledged >= 600, 60, "the queue is full")
    yield
    assert waiting(deployment) > 0, "the queue ran empty: the test showed nothing"


def waiting(deployment: Deployment) -> int:
    with deployment.database.read() as tx:
        return tx.execute(select(func.count()).select_from(outbox)).scalar_one()


def lose_some(engines: Engines, number: int) -> None:
    """Take messages out of the middle of the queue."""
    with lists_of(engines) as (client, [key]):
        for message in client.lrange(key, 100, 100 + number - 1):
            assert client.lrem(key, 1, message) == 1  # type: ignore[arg-type]  # bytes it is


def test_in_a_queue_that_is_never_empty(
    engines: Engines, deploy: Deploy, measured: Callable[..., None]
) -> None:
    deployment = deploy(engines)
    deployment.start_worker("--pool=solo").stop()  # its task types stay registered
    deployment.start_server()
    with traffic_to(deployment) as traffic, always_full(traffic, deployment):
        lose_some(engines, 20)
        lost_at = time.monotonic()
        deployment.start_worker("--pool=threads", "--concurrency=2")
        wait_until(lambda: deployment.published_again() >= 20, 90, "the lost ones were found")
        found = time.monotonic() - lost_at
    with traffic_to(deployment):
        deployment.start_worker("--pool=threads", "--concurrency=8")
        submissions = traffic.wait()
        wait_until_final(deployment, [s.task_id for s in submissions], 90)
    evidence = check(deployment, submissions)
    assert evidence.states == {State.SUCCEEDED: 600}
    assert evidence.run_twice == 0
    again = deployment.published_again()
    assert 20 <= again <= 40
    measured(evidence, published_again=again, found_after=found)


def test_with_a_worker_that_is_killed_while_the_queue_stays_full(
    engines: Engines, deploy: Deploy, measured: Callable[..., None]
) -> None:
    deployment = deploy(engines)
    deployment.start_server()
    victim = deployment.start_worker("--pool=threads", "--concurrency=8", "--prefetch-multiplier=4")
    with traffic_to(deployment) as traffic, always_full(traffic, deployment):
        victim.kill()
        killed_at = time.monotonic()
        deployment.start_worker("--pool=threads", "--concurrency=8")
        wait_until(lambda: len(deployment.journal.count("end")) > 100, 60)
    submissions = traffic.wait()
    wait_until_final(deployment, [s.task_id for s in submissions], 120)
    recovery = time.monotonic() - killed_at
    evidence = check(deployment, submissions)
    assert evidence.states == {State.SUCCEEDED: 600}
    measured(evidence, published_again=deployment.published_again(), recovery=recovery)


def test_redis_emptied_while_more_arrives(
    engines: Engines, deploy: Deploy, measured: Callable[..., None]
) -> None:
    deployment = deploy(engines)
    deployment.start_server()
    deployment.start_worker("--pool=threads", "--concurrency=4")
    with traffic_to(deployment) as traffic, always_full(traffic, deployment):
        with lists_of(engines) as (client, _):
            client.flushall()
        emptied_at = time.monotonic()
        traffic.submit(600, kwargs=lambda: {"seconds": 0.1})
        wait_until(lambda: deployment.published_again() > 0, 90, "the lost ones were found")
        found = time.monotonic() - emptied_at
    with traffic_to(deployment):
        deployment.start_worker("--pool=threads", "--concurrency=12")
        submissions = traffic.wait()
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
        recovery = time.monotonic() - emptied_at
    evidence = check(deployment, submissions)
    assert evidence.states == {State.SUCCEEDED: 1_200}
    assert evidence.run_twice == 0
    again = deployment.published_again()
    measured(evidence, published_again=again, found_after=found, recovery=recovery)


@pytest.mark.timeout(240)
def test_messages_that_a_busy_worker_holds_back_cost_one_message_each(
    engines: Engines, deploy: Deploy, measured: Callable[..., None]
) -> None:
    """They are published again; that it then claims them says nothing of the backlog."""
    deployment = deploy(engines)
    deployment.start_server()
    ahead = f"--prefetch-multiplier={1 + HELD_BACK}"
    deployment.start_worker("--pool=threads", "--concurrency=1", ahead)
    with traffic_to(deployment) as traffic:
        traffic.submit(1, kwargs=lambda: {"seconds": 30})
        wait_until(lambda: len(deployment.journal.count("start")) == 1, 30, "it is busy")
        traffic.submit(HELD_BACK)
        traffic.wait()
        time.sleep(WATERMARK_MARGIN.total_seconds())  # the others are younger by more than that
        traffic.submit(2_000, kwargs=lambda: {"seconds": 0.1})
        submissions = traffic.wait()
        began_at = time.monotonic()
        deployment.start_worker("--pool=threads", "--concurrency=4")
        wait_until(lambda: deployment.published_again() >= HELD_BACK, 60, "they look lost")
        long_task = submissions[0].task_id
        wait_until_final(deployment, [long_task], 60)
        assert waiting(deployment) > 100, "the queue ran empty: the test showed nothing"
        deployment.start_worker("--pool=threads", "--concurrency=12")
        wait_until_final(deployment, [s.task_id for s in submissions], 120)
    evidence = check(deployment, submissions)
    assert evidence.run_twice == 0
    assert deployment.published_again() <= 2 * HELD_BACK
    again, took = deployment.published_again(), time.monotonic() - began_at
    measured(evidence, published_again=again, took=took)


@pytest.mark.timeout(240)
def test_a_backlog_is_neither_rewritten_nor_multiplied(engines: Engines, deploy: Deploy) -> None:
    deployment = deploy(engines)
    settings = Settings(celery_broker_url=engines.broker.url, postgres_url=engines.database_url)
    with deployment.database.write() as tx:
        for _ in range(BACKLOG // 1_000):
            submission.submit(tx, [new_task() for _ in range(1_000)])
    deployment.start_server()
    wait_until(lambda: messages(engines) == BACKLOG, 150, "all are published")
    # A record, its row in the outbox, and there the time of publishing.
    wait_until(lambda: rows_written(deployment) == 3 * BACKLOG, 60, "PostgreSQL has counted")
    sweeper = sweeper_of(settings, deployment.database, create_app(settings), None)
    time.sleep(CLAIM_TIMEOUT.total_seconds())  # from now on they could be taken for lost
    for _ in range(5):
        assert sweeper.sweep_by_hand().republished == ()
    assert rows_written(deployment) == 3 * BACKLOG
    assert messages(engines) == BACKLOG


def messages(engines: Engines) -> int:
    with lists_of(engines) as (client, lists):
        return sum(client.llen(key) for key in lists)


def rows_written(deployment: Deployment) -> int:
    """Of the record and the outbox, as PostgreSQL counts them."""
    counted = text(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        " WHERE relname IN ('taskgate_tasks', 'taskgate_outbox')"
    )
    with deployment.database.read() as tx:
        tx.execute(text("SELECT pg_stat_force_next_flush()"))
        return int(tx.execute(counted).scalar_one())
