"""`taskgate up`, with nothing configured: server and worker, and the lines that it prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from support.deployment import COMMANDS
from support.ports import free_port
from support.processes import Process, descendants, has_ended
from support.require import require
from support.waiting import wait_until
from taskgate.client import Client, State

SETTINGS = ("CELERY_", "POSTGRES_", "TASKGATE_")


@contextmanager
def up(folder: Path) -> Iterator[tuple[Process, str]]:
    """`taskgate up` in the folder, once it has said what to paste, and its address."""
    address = f"127.0.0.1:{free_port()}"
    nothing = {name: "" for name in os.environ if name.startswith(SETTINGS)}
    with Process(
        [COMMANDS / "taskgate", "up"],
        log=folder / f"{address}.log",
        env={**nothing, "TASKGATE_ADDRESS": address},
        cwd=folder,
    ) as process:
        process.wait_ready(lambda: "The dashboard is at" in process.output)
        yield process, address


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, str]]:
    """One that the tests share."""
    with up(tmp_path_factory.mktemp("up")) as started:
        yield started


@pytest.fixture
def address(running: tuple[Process, str]) -> str:
    return running[1]


@pytest.fixture
def output(running: tuple[Process, str]) -> str:
    return running[0].output


def dashboard_url(output: str) -> str:
    [url] = re.findall(r"^The dashboard is at (http://\S+)$", output, re.MULTILINE)
    return str(url)


# Only this file has `up` choose a port: two that start at once may choose the same.
def test_the_dashboard_comes_with_it(output: str, tmp_path: Path) -> None:
    assert "taskgate" in httpx.get(dashboard_url(output)).text
    with up(tmp_path) as (other, _):
        assert dashboard_url(other.output) != dashboard_url(output)
        assert httpx.get(dashboard_url(other.output)).status_code == 200


def paste(output: str, word: str, address: str) -> str:
    """Run the printed line with the word in it, in a new shell; returns what it printed."""
    [line] = [line.strip() for line in output.splitlines() if f"{word} " in line]
    path = os.pathsep.join([str(COMMANDS), os.environ["PATH"], str(require("grpcurl").parent)])
    env = {**os.environ, "PATH": path, "TASKGATE_ADDRESS": address}
    done = subprocess.run(
        ["bash", "-c", line], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"
    return done.stdout


def test_the_grpcurl_line_submits_a_task(output: str, address: str) -> None:
    task = json.loads(paste(output, "grpcurl", address))["task"]
    assert task["taskType"] == "demo.add"
    with Client(address) as client:
        done = client.task(task["id"]).wait(30)
    assert (done.state, done.result) == (State.SUCCEEDED, 5)


def test_the_submit_line_waits_for_the_result(output: str, address: str) -> None:
    printed = paste(output, "taskgate submit", address)
    assert "SUCCEEDED" in printed
    assert "5" in printed


def test_an_idle_worker_starts_a_task_at_once(address: str) -> None:
    """Within about 0.2 s; the best of some, since the machine may be busy."""
    with Client(address) as client:
        tasks = [client.submit("demo.add", [1, 1]).wait(30) for _ in range(10)]
    waited = [
        task.start_time - task.create_time for task in tasks if task.start_time and task.create_time
    ]
    assert len(waited) == 10
    assert min(waited) < timedelta(seconds=0.2)


def test_sigterm_ends_all_of_it_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with up(tmp_path) as (process, address), Client(address) as client:
        parts = descendants(process.pid)
        assert len(parts) >= 2
        later = client.submit("demo.add", [2, 3], delay=3)
        running = client.submit("demo.stubborn", [1])
        wait_until(lambda: running.get().state is State.RUNNING, 30, "the task runs")
        assert process.stop() == 0
        assert all(map(has_ended, parts))
        assert "Traceback" not in process.output
    assert {path.name for path in (tmp_path / ".taskgate").glob("*.db")} == {
        "record.db",
        "broker.db",
    }
    with up(tmp_path) as (_, address), Client(address) as client:
        assert client.task(running.id).wait(30).state is State.SUCCEEDED
        assert client.task(later.id).result(30) == 5
