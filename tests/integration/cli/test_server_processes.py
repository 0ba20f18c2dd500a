"""``taskgate server --processes``: real processes that share a port."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import httpx
import pytest

from support.metrics import sample, scrape
from support.ports import free_port
from support.processes import Process, descendants, has_ended
from support.requests import watch
from support.require import require
from support.serving import Refusal, parameter, register, start_worker
from support.waiting import wait_until
from taskgate.cli.readiness import Readiness
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

SERVER = [sys.executable, "-m", "taskgate.cli", "server"]
SECONDS = 60
CHANNELS = 8


@contextmanager
def serving(
    folder: Path, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Process, str]]:
    """The process that was started, and the address on which its processes serve."""
    with (
        Readiness() as readiness,
        Process(
            [*SERVER, "--processes=2", *options],
            log=folder / "log",
            cwd=folder,
            env={**readiness.environment, **(env or {})},
        ) as process,
    ):
        found: list[str] = []

        def is_ready() -> bool:
            found.extend(filter(None, [readiness.address()]))
            return bool(found)

        process.wait_ready(is_ready, SECONDS)
        yield process, found[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the embedded record has a task type."""
    database = Database(f"sqlite:///{tmp_path / '.taskgate' / 'record.db'}")
    schema.upgrade(database)
    register(database, "demo.add", parameter("x"), parameter("y"))
    start_worker(database)
    database.close()
    return tmp_path


def connections_of(pid: int, port: int) -> int:
    """How many established connections to the port a process has."""
    lines = [
        line.split()
        for table in ("tcp", "tcp6")  # gRPC listens for both on one socket
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    inodes = {
        f"socket:[{words[9]}]"
        for words in lines
        if words[3] == "01" and int(words[1].rpartition(":")[2], 16) == port
    }
    held = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            held.add(str(link.readlink()))
    return len(inodes & held)


def test_connections_are_spread_and_calls_answered_until_the_end(folder: Path) -> None:
    with ExitStack() as exits:
        process, address = exits.enter_context(serving(folder, "--address=127.0.0.1:0"))
        port = int(address.rpartition(":")[2])
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [exits.enter_context(grpc.insecure_channel(address, options)) for _ in range(40)]
        for channel in channels:
            TaskServiceStub(channel).ListTaskTypes(
                task_service_pb2.ListTaskTypesRequest(), timeout=SECONDS
            )
        held = Counter({pid: connections_of(pid, port) for pid in descendants(process.pid)})
        assert len(held) == 2
        assert min(held.values()) > 0, held
        task_id = _grpcurl_submit(address)
        watches = [
            TaskServiceStub(channel).Watch(watch({task_id: 0}), timeout=SECONDS)
            for channel in channels
        ]
        assert {next(one).task.id for one in watches} == {task_id}  # all are under way
        assert process.stop(SECONDS) == 0
        assert {_end_of(one) for one in watches} == {"SHUTTING_DOWN"}
        said = re.findall(r"\[(\d+)\] INFO taskgate.server.main: stopped", process.output)
        assert sorted(map(int, said)) == sorted(held)


def _end_of(watch: Iterator[task_service_pb2.WatchResponse]) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        next(watch)
    return Refusal(caught.value).reason


def _grpcurl_submit(address: str) -> str:
    """Submit with a client that learns the API by reflection; the task's id."""
    check = [str(require("grpcurl")), "-plaintext", address, "grpc.health.v1.Health/Check"]
    found = subprocess.run(check, check=True, capture_output=True, timeout=SECONDS)
    assert json.loads(found.stdout) == {"status": "SERVING"}
    request = json.dumps({"task_type": "demo.add", "args": [2, 3]})
    call = [str(require("grpcurl")), "-plaintext", "-d", request, address]
    answer = subprocess.run(
        [*call, "taskgate.v1.TaskService/Submit"], check=True, capture_output=True, timeout=SECONDS
    )
    return str(json.loads(answer.stdout)["task"]["id"])


def test_when_one_process_dies_the_others_end_and_it_is_said(folder: Path) -> None:
    with serving(folder, "--address=127.0.0.1:0") as (process, _):
        first, second = descendants(process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: has_ended(second), SECONDS, "the other process has ended")
        assert process.wait(SECONDS) == 1
        assert re.search(r"server process \d of 2 ended with exit code -9", process.output)


def test_a_port_that_is_served_is_not_shared_with_another_server(folder: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(folder, f"--address={address}"):
        again = [*SERVER, "--processes=2", f"--address={address}"]
        code, said = _refused(again, folder)
    assert code == 1
    assert f"cannot listen on {address}: another program listens on it" in said


def test_a_unix_socket_is_not_shared(folder: Path) -> None:
    code, said = _refused([*SERVER, "--processes=2", "--address=unix:socket"], folder)
    assert code == 1
    assert "a Unix socket cannot be shared" in said


def _refused(command: list[str], folder: Path) -> tuple[int, str]:
    """The exit code of a command that ends by itself, and what it said."""
    ended = subprocess.run(
        command, check=False, cwd=folder, capture_output=True, timeout=SECONDS, text=True
    )
    return ended.returncode, ended.stderr


def test_prometheus_is_told_the_sum_of_what_the_processes_do(folder: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    environment = {"TASKGATE_METRICS_ADDRESS": metrics}
    handled = sample(
        "grpc_server_handled_total",
        grpc_service="taskgate.v1.TaskService",
        grpc_method="ListQueues",
        grpc_code="OK",
    )
    with serving(folder, env=environment) as (_, address):
        scrape(metrics)
        for _ in range(CHANNELS):
            with grpc.insecure_channel(address) as channel:
                request = task_service_pb2.ListQueuesRequest()
                TaskServiceStub(channel).ListQueues(request, timeout=SECONDS)
        wait_until(lambda: scrape(metrics).get(handled) == CHANNELS, what="all are counted")
        found = scrape(metrics)
    assert found[sample("taskgate_reporter")] == 1
    assert found[sample("celery_queue_length", queue_name="celery")] == 0


def test_one_of_the_processes_serves_the_dashboard(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path, env={"TASKGATE_WEB_ADDRESS": address}) as (process, _):
        assert httpx.get(f"http://{address}/").status_code == 200
        assert process.output.count(f"the dashboard is at http://{address}/") == 1
