"""Every way to start a worker, and every pool."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from support.deployment import Deployment
from support.postgres import PostgresServer
from support.processes import has_ended
from support.redis import RedisServer
from support.waiting import wait_until
from taskgate.client import Client, State

APP = ("-A", "taskgate.tasks", "worker", "--loglevel=info")


def check_pool(client: Client, queue: str, *, concurrency: int) -> None:
    """Tasks succeed, fail, are retried and aborted on the queue, several at once."""
    started = [client.submit("journal.run", [0.1, n], queue=queue) for n in range(concurrency)]
    assert [task.result(60) for task in started] == list(range(concurrency))
    assert client.submit("demo.fail", ["x"], queue=queue).wait(30).state is State.FAILED
    assert client.submit("journal.flaky", [1], queue=queue).result(30) == 1
    countdown = client.submit("demo.countdown", [60], queue=queue)
    wait_until(lambda: countdown.get().state is State.RUNNING, 30, "the task runs")
    countdown.abort()
    assert countdown.wait(30).state is State.ABORTED


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_celerys_own_command_starts_a_worker(
    deployment: Deployment, client: Client, pool: str
) -> None:
    options = (f"--pool={pool}", f"--queues=plain-{pool}", "--concurrency=10")
    with deployment.start("celery", *APP, *options) as worker:
        worker.wait_ready(lambda: deployment.has_worker(worker.pid))
        check_pool(client, f"plain-{pool}", concurrency=10)
        assert worker.stop() == 0
    [stopped] = [each for each in deployment.workers() if each.details["pid"] == worker.pid]
    assert stopped.stopped_at is not None
    assert stopped.details["queues"] == [f"plain-{pool}"]


def is_newer(path: Path, than: int) -> bool:
    return path.stat().st_mtime_ns > than


def test_a_file_shows_that_a_worker_lives(deployment: Deployment, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    env = {"TASKGATE_WORKER_ALIVE_FILE": str(alive)}
    with deployment.start_worker("--pool=solo", env=env) as worker:
        first = alive.stat().st_mtime_ns
        wait_until(partial(is_newer, alive, first), what="it is touched")
        assert worker.stop() == 0
    assert not alive.exists()


def test_a_worker_lives_without_its_broker_and_its_database(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    with (
        PostgresServer() as postgres,
        RedisServer() as redis,
        Deployment(
            tmp_path, broker_url=redis.url(), database_url=postgres.create_database("alive")
        ) as deployment,
    ):
        env = {"TASKGATE_WORKER_ALIVE_FILE": str(alive)}
        with deployment.start_worker("--pool=threads", env=env) as worker:
            redis.kill()
            postgres.kill()
            for _ in range(3):
                before = alive.stat().st_mtime_ns
                wait_until(partial(is_newer, alive, before), 60, "it is touched")
            worker.kill()
    assert alive.exists()


@contextmanager
def ended(pidfile: Path) -> Iterator[int]:
    """The process that the file names; it has ended afterwards, one way or another."""
    wait_until(lambda: pidfile.exists() and pidfile.read_text().strip() != "", 30, "a pid file")
    pid = int(pidfile.read_text())
    try:
        yield pid
    finally:
        if not has_ended(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("command", [("celery", *APP), ("taskgate", "worker")], ids=" ".join)
def test_a_detached_worker_goes_on_alone(
    deployment: Deployment, client: Client, command: tuple[str, ...]
) -> None:
    name = command[0]
    pidfile = deployment.folder / f"{name}.pid"
    files = (f"--pidfile={pidfile}", f"--logfile={deployment.folder / name}-detached.log")
    deployment.run(*command, "--detach", f"--queues=detached-{name}", "--concurrency=1", *files)
    with ended(pidfile) as pid:
        wait_until(lambda: deployment.has_worker(pid), 60, "the worker is at work")
        check_pool(client, f"detached-{name}", concurrency=1)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: has_ended(pid), 30, "the worker has ended")
        assert not pidfile.exists()
