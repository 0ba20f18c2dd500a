"""`taskgate sweep`, and what the command shows of dead workers and restarted servers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment import Deployment
from support.waiting import wait_until
from taskgate.client import State

TASKGATE = [sys.executable, "-m", "taskgate.cli"]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(
        tmp_path,
        broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        database_url=f"sqlite:///{tmp_path / 'record.db'}",
        env={"TASKGATE_LEASE_SECONDS": "2"},
    ) as deployed:
        yield deployed


def test_a_dead_workers_tasks_are_put_back_by_hand(deployment: Deployment) -> None:
    server = deployment.start_server()
    worker = deployment.start_worker("--pool=solo")
    handle = deployment.client().submit("demo.stubborn", [60])
    wait_until(lambda: handle.get().state is State.RUNNING, 60)
    server.stop()
    assert deployment.run("taskgate", "sweep") == "There was nothing to do.\n"
    worker.kill()
    wait_until(lambda: not deployment.workers()[0].is_alive, 60)
    [dead] = deployment.workers()
    swept = json.loads(deployment.run("taskgate", "sweep", "--json"))
    assert swept["lost_workers"] == [dead.id]
    assert [orphan["task_id"] for orphan in swept["orphans"]] == [handle.id]
    assert deployment.run("taskgate", "sweep") == "There was nothing to do.\n"
    deployment.start_server()
    task = handle.get()
    assert (task.state, task.attempt) == (State.QUEUED, 2)
    assert f"{dead.id}  LOST" in deployment.run("taskgate", "workers")
    [listed] = json.loads(deployment.run("taskgate", "workers", "--json"))["workers"]
    assert listed["state"] == "LOST"
    assert deployment.run("taskgate", "workers", "--alive").splitlines()[1:] == []


def test_a_watch_goes_on_through_a_restart(deployment: Deployment) -> None:
    server = deployment.start_server()
    deployment.start_worker("--pool=solo").stop()
    client = deployment.client()
    ids = [client.submit("demo.add", [n, 1]).id for n in range(3)]
    watch = deployment.start("taskgate", "watch", *ids, "--timeout", "100s")
    wait_until(lambda: watch.output.count("QUEUED") == 3, 60)
    server.kill()
    deployment.start_server()
    deployment.start_worker("--pool=solo")
    assert watch.wait(100) == 0
    assert watch.output.count("SUCCEEDED") == 3
    assert watch.output.count("QUEUED") == 3  # what was seen is not sent again


@pytest.mark.parametrize("words", [["sweep"], ["sweep", "--json"]])
def test_a_database_without_tables_is_told(tmp_path: Path, words: list[str]) -> None:
    answer = subprocess.run(
        [*TASKGATE, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 1
    assert "run `taskgate db upgrade`" in answer.stderr
