"""A PostgreSQL that others use badly, while tasks are claimed and finished."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from support.deployment import Deployment
from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.pgbouncer import PgBouncer
from support.postgres import PostgresServer
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State

from .conftest import Deploy

TASKS = 300
SLOTS = 4
POOLS = ("prefork", "threads")

KILLS_EVERY = 0.2
"""Seconds between two ends of a connection of ours."""

CONNECTIONS = 12
"""That PostgreSQL takes, ordinary users' three less: fewer than server and worker would like."""

RUN_SECONDS = 2.0


@pytest.mark.parametrize("pool", POOLS)
def test_connections_are_ended_all_the_time(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with PostgresServer() as postgres:
        url = postgres.create_database("record")
        deployment = started(deploy(Engines(RedisBroker(redis_server), url)), pool)
        with traffic_to(deployment) as traffic, _ended_all_the_time(url) as ended:
            traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.05})
            submissions = traffic.wait()
            begun_at = time.monotonic()
            wait_until_final(deployment, [s.task_id for s in submissions], 90)
            recovery = time.monotonic() - begun_at
        assert len(ended) > 5
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert evidence.run_twice == 0
        measured(evidence, connections_ended=len(ended), recovery=recovery)


@pytest.mark.parametrize("pool", POOLS)
def test_all_connections_are_taken(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    with PostgresServer(f"max_connections={CONNECTIONS}") as postgres:
        url = postgres.create_database("record")
        env = {"TASKGATE_LEASE_SECONDS": "30"}
        deployment = started(deploy(Engines(RedisBroker(redis_server), url), env=env), pool)
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.05})
            wait_until(lambda: len(deployment.journal.count("end")) > 20, 60, "tasks end")
            with _all_taken(url) as taken:
                time.sleep(RUN_SECONDS)
            freed_at = time.monotonic()
            submissions = traffic.wait()
            wait_until_final(deployment, [s.task_id for s in submissions], 90)
            recovery = time.monotonic() - freed_at
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert evidence.run_twice == 0
        measured(evidence, connections_taken=taken, recovery=recovery)


@pytest.mark.parametrize("pool", POOLS)
def test_someone_locks_a_record_and_goes_away(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    """All others go on meanwhile; that task's end is recorded once the lock is gone."""
    with PostgresServer() as postgres:
        url = postgres.create_database("record")
        deployment = started(deploy(Engines(RedisBroker(redis_server), url)), pool)
        with traffic_to(deployment) as traffic:
            traffic.submit(1, kwargs=lambda: {"seconds": RUN_SECONDS})
            [first] = traffic.wait()
            wait_until(lambda: bool(deployment.journal.count("start")), 30, "it runs")
            with _record_locked(url, first.task_id):
                wait_until(lambda: bool(deployment.journal.count("end")), 30, "it has ended")
                traffic.submit(TASKS)
                others = traffic.wait()[1:]
                begun_at = time.monotonic()
                wait_until_final(deployment, [s.task_id for s in others], 60)
                recovery = time.monotonic() - begun_at
            wait_until_final(deployment, [first.task_id], 60)
        evidence = check(deployment, [first, *others])
        assert evidence.states == {State.SUCCEEDED: TASKS + 1}
        assert evidence.run_twice == 0
        measured(evidence, recovery=recovery)


@pytest.mark.parametrize("pool", POOLS)
def test_someone_locks_a_record_that_waits_for_its_claim(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    """All others run meanwhile; that one runs once the lock is gone."""
    with PostgresServer() as postgres:
        url = postgres.create_database("record")
        deployment = deploy(Engines(RedisBroker(redis_server), url))
        deployment.start_worker("--pool=solo").stop()  # so that its task types are known
        deployment.start_server()
        with traffic_to(deployment) as traffic:
            traffic.submit(1)
            [first] = traffic.wait()
            with _record_locked(url, first.task_id):
                traffic.submit(TASKS)
                others = traffic.wait()[1:]
                deployment.start_worker(f"--pool={pool}", f"--concurrency={SLOTS}")
                wait_until_final(deployment, [s.task_id for s in others], 90)
            freed_at = time.monotonic()
            wait_until_final(deployment, [first.task_id], 90)
            recovery = time.monotonic() - freed_at
        evidence = check(deployment, [first, *others])
        assert evidence.states == {State.SUCCEEDED: TASKS + 1}
        assert evidence.run_twice == 0
        measured(evidence, recovery=recovery)


@pytest.mark.parametrize("pool", POOLS)
def test_behind_pgbouncer_with_few_connections(
    pool: str, redis_server: RedisServer, deploy: Deploy, measured: Callable[..., None]
) -> None:
    """In transaction mode, and restarted in between."""
    with PostgresServer() as postgres, PgBouncer(postgres, connections=3) as bouncer:
        postgres.create_database("record")
        engines = Engines(RedisBroker(redis_server), bouncer.url("record"))
        deployment = started(deploy(engines), pool)
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.05})
            wait_until(lambda: len(deployment.journal.count("end")) > 20, 60, "tasks end")
            bouncer.kill()
            bouncer.start()
            restarted_at = time.monotonic()
            submissions = traffic.wait()
            wait_until_final(deployment, [s.task_id for s in submissions], 90)
            recovery = time.monotonic() - restarted_at
        evidence = check(deployment, submissions)
        assert evidence.states == {State.SUCCEEDED: TASKS}
        assert evidence.run_twice == 0
        measured(evidence, restarts=1, recovery=recovery)


def started(deployment: Deployment, pool: str) -> Deployment:
    """With a server and a worker."""
    deployment.start_server()
    deployment.start_worker(f"--pool={pool}", f"--concurrency={SLOTS}")
    return deployment


@contextmanager
def _ended_all_the_time(url: str) -> Iterator[list[int]]:
    """Meanwhile one of our connections after the other is ended from outside; their processes."""
    ended: list[int] = []
    enough = threading.Event()

    def end_some() -> None:
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not enough.wait(KILLS_EVERY):
                cursor.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'taskgate'"
                )
                pids = [pid for (pid,) in cursor.fetchall()]
                if pids:
                    pid = random.choice(pids)
                    cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
                    ended.append(pid)

    thread = threading.Thread(target=end_some)
    thread.start()
    try:
        yield ended
    finally:
        enough.set()
        thread.join()


@contextmanager
def _all_taken(url: str) -> Iterator[int]:
    """Every connection that PostgreSQL has left is someone else's, and ours are ended."""
    taken = []
    try:
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'taskgate'"
            )
            while True:
                try:
                    taken.append(psycopg2.connect(url))
                except psycopg2.OperationalError:
                    break
        yield len(taken)
    finally:
        for one in taken:
            one.close()


@contextmanager
def _record_locked(url: str, task_id: str) -> Iterator[None]:
    """Someone's transaction has the task's row, and its client does nothing."""
    with closing(psycopg2.connect(url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM taskgate_tasks WHERE id = %s FOR UPDATE", [task_id])
        yield
