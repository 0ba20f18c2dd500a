"""Start and stop: the schema, signals, and the calls that are under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.processes import Process
from support.records import read, submitted_in
from support.requests import get, submit, watch
from support.serving import SECONDS, InProcessServer, Refusal, is_unavailable
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.errors import SchemaOutdated
from taskgate.store.lifecycle import State
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

SERVE = """
import sys
from pathlib import Path
from taskgate.server.main import serve
from taskgate.server.settings import ServerSettings
def ready(address, _dashboard):
    Path("address").write_text(address + "\\n")
serve(ServerSettings(), ready=ready)
print("returned")
"""


class ServerProcess:
    """A server in a process of its own."""

    def __init__(self, folder: Path, settings: ServerSettings) -> None:
        self._address = folder / "address"
        self.process = Process(
            [sys.executable, "-c", SERVE],
            log=folder / "log",
            cwd=folder,
            env={
                "POSTGRES_URL": settings.postgres_url,
                "CELERY_BROKER_URL": settings.celery_broker_url,
                "TASKGATE_ADDRESS": "127.0.0.1:0",
            },
        )
        wait_until(self._is_ready, timeout=30, what="a server that serves")
        self.address = self._address.read_text().strip()

    def _is_ready(self) -> bool:
        return self._address.exists() and self._address.read_text().endswith("\n")


@pytest.fixture
def process(
    tmp_path: Path, make_settings: Callable[..., ServerSettings]
) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path, make_settings())
    yield process
    process.process.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_peace(
    process: ServerProcess, database: Database, number: signal.Signals
) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    with grpc.insecure_channel(process.address) as channel:
        stub = TaskServiceStub(channel)
        watching = stub.Watch(watch({task_id: 0}), timeout=60)
        next(watching)
        waiting = stub.Get.future(get(task_id, wait=60), timeout=60)
        submits = [stub.Submit.future(submit(), timeout=60) for _ in range(100)]
        submits[0].result()
        os.kill(process.process.pid, number)
        assert waiting.result().task.state == task_pb2.TASK_STATE_RUNNING
        with pytest.raises(grpc.RpcError) as caught:
            next(watching)
        assert is_unavailable(caught.value)
        answered = [call.result().task.id for call in submits if call.exception() is None]
    wait_until(lambda: process.process.exit_code is not None, timeout=30, what="its end")
    assert process.process.exit_code == 0
    assert "returned" in process.process.log.read_text()
    for submitted in answered:
        assert read(database, submitted).state is State.QUEUED


def test_health_says_so_before_the_end(server: InProcessServer) -> None:
    health: Any = health_pb2_grpc.HealthStub(server.channel())
    request = health_pb2.HealthCheckRequest(service="taskgate.v1.TaskService")
    statuses = health.Watch(request, timeout=60)
    assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
    stopping = threading.Thread(target=lambda: server.run(server.server.stop()))
    stopping.start()
    assert next(statuses).status == health_pb2.HealthCheckResponse.NOT_SERVING
    statuses.cancel()
    stopping.join(30)
    assert not stopping.is_alive()


def test_who_waits_is_sent_elsewhere_before_the_server_closes(
    server: InProcessServer, database: Database
) -> None:
    """Who is answered and calls again at once must not meet a closing server: CANCELLED."""
    with database.write() as tx:
        task_id = submitted_in(tx, State.QUEUED)
    stub = server.stub()
    again: list[grpc.Future[Any]] = []

    def call_again(_call: object) -> None:
        again.append(stub.Get.future(get(task_id, wait=60), timeout=60))

    waiting = [stub.Get.future(get(task_id, wait=60), timeout=60) for _ in range(200)]
    for call in waiting:
        call.add_done_callback(call_again)
    watching = stub.Watch(watch({task_id: 0}), timeout=60)
    next(watching)
    wait_until(lambda: server.server._interceptor.calls_under_way == 201, what="waiting calls")
    server.run(server.server.stop())
    assert Counter(call.code() for call in waiting) == {grpc.StatusCode.OK: 200}
    with pytest.raises(grpc.RpcError) as caught:
        next(watching)
    assert Refusal(caught.value).reason == "SHUTTING_DOWN"
    wait_until(lambda: len(again) == 200, what="the second calls")
    codes = Counter(call.exception().code() for call in again)  # type: ignore[union-attr]
    assert codes == {grpc.StatusCode.UNAVAILABLE: 200}


def test_an_open_health_watch_does_not_hold_up_the_end(
    make_settings: Callable[..., ServerSettings],
) -> None:
    with InProcessServer(make_settings(taskgate_drain_seconds=3600)) as server:
        health: Any = health_pb2_grpc.HealthStub(server.channel())
        statuses = health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
        server.run(server.server.stop())


def test_postgresql_without_tables_is_told(postgres_url: str, tmp_path: Path) -> None:
    settings = ServerSettings(
        postgres_url=postgres_url,
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        taskgate_address="127.0.0.1:0",
    )
    with pytest.raises(SchemaOutdated, match="taskgate db upgrade"), InProcessServer(settings):
        pass


def test_sqlite_without_tables_gets_them(sqlite_url: str, tmp_path: Path) -> None:
    settings = ServerSettings(
        postgres_url=sqlite_url,
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        taskgate_address="127.0.0.1:0",
    )
    with InProcessServer(settings) as server:
        request = task_service_pb2.ListRequest()
        assert not server.stub().List(request, timeout=SECONDS).tasks


def test_nothing_configured_is_embedded(tmp_path: Path) -> None:
    """The files go below the working directory."""
    code = "from taskgate.server.settings import ServerSettings as S; print(S().postgres_url)"
    env = {name: value for name, value in os.environ.items() if "URL" not in name}
    shown: Any = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == f"sqlite:///{tmp_path}/.taskgate/record.db"
