"""Server and worker as programs of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from support.ports import free_port
from support.processes import Process
from support.up import Up
from support.waiting import wait_until
from taskgate.cli.readiness import Readiness
from taskgate.client import Client

TASKGATE = [sys.executable, "-m", "taskgate.cli"]


def test_server_and_detached_worker(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    pid_file = tmp_path / "worker.pid"
    _run(["db", "upgrade"], tmp_path)
    server = [*TASKGATE, "server", "--address", address]
    with (
        Readiness() as readiness,
        Process(server, log=tmp_path / "log", cwd=tmp_path, env=readiness.environment) as process,
        Client(address) as client,
    ):
        process.wait_ready(lambda: readiness.address() == address)
        options = ["--pool=threads", "--queues=mail,celery", "--concurrency=2"]
        files = [f"--pidfile={pid_file}", f"--logfile={tmp_path / 'worker.log'}"]
        _run(["worker", "--loglevel=INFO", *options, "--detach", *files], tmp_path)
        wait_until(lambda: pid_file.exists() and pid_file.read_text().strip() != "", 60)
        pid = int(pid_file.read_text())
        try:
            wait_until(lambda: "ready" in (tmp_path / "worker.log").read_text(), 60)
            task = client.submit("demo.add", [2, 3], queue="mail").wait(60)
            assert task.result == 5
        finally:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not pid_file.exists(), 60)
        assert "alembic" not in (tmp_path / "worker.log").read_text()
        assert process.stop() == 0


def _run(words: list[str], folder: Path) -> None:
    command = [*TASKGATE, *words]
    subprocess.run(command, cwd=folder, check=True, timeout=60, capture_output=True)


def test_up_on_postgresql_and_redis(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    env = {"POSTGRES_URL": postgres_url, "CELERY_BROKER_URL": redis_url}
    with Up(tmp_path, env=env) as up, Client(up.address) as client:
        assert client.submit("demo.add", [2, 3]).result(60) == 5
    assert not (tmp_path / ".taskgate").exists()
    assert "Warning" not in up.output  # root, as in a container, is not warned of at each start


def test_up_on_sqlite_and_rabbitmq(tmp_path: Path, amqp_url: str) -> None:
    with Up(tmp_path, env={"CELERY_BROKER_URL": amqp_url}) as up, Client(up.address) as client:
        assert client.submit("demo.add", [2, 3]).result(60) == 5
