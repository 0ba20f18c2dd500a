"""Strangers that open streams and reset them at once cost nobody else a call, and little memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.test_hostile_input import MOST_MEBIBYTES, most_mebibytes
from support.deployment import Deployment
from support.http2 import END_HEADERS, HEADERS, RST_STREAM, Connection, fields, frame
from support.processes import Process
from support.serving import register
from support.waiting import wait_until
from taskgate.client import Client, TaskgateError

RESETS = 2_000
AT_ONCE = 50
"""Streams whose frames are sent in one piece."""

CALLERS = 4
CALLS_AFTER = 20
"""How many each caller still makes when the stranger is done."""

TOKEN = "the paying caller's"
PATH = "/taskgate.v1.TaskService/Submit"
CANCEL = (8).to_bytes(4, "big")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"payer {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    with Deployment(
        tmp_path,
        broker_url=f"sqla+sqlite:///{tmp_path}/broker.db",
        database_url=f"sqlite:///{tmp_path}/record.db",
        env={"TASKGATE_TOKENS_FILE": str(tokens)},
    ) as deployment:
        register(deployment.database, "demo.add")
        yield deployment


class Caller(threading.Thread):
    """Submits again and again, and repeats no call that failed."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.calls = 0
        self.errors: list[TaskgateError] = []
        self._address = address
        self._enough = threading.Event()

    def run(self) -> None:
        options = {"token": TOKEN, "plain_text_token": True, "timeout": 60, "retry_timeout": 0}
        with Client(self._address, **options) as client:  # type: ignore[arg-type]
            while not self._enough.is_set():
                try:
                    client.submit("demo.add")
                except TaskgateError as error:
                    self.errors.append(error)
                self.calls += 1

    def end(self) -> None:
        wait_until_calls = self.calls + CALLS_AFTER
        wait_until(lambda: self.calls >= wait_until_calls, 120, "calls after the resets")
        self._enough.set()
        self.join()


@pytest.mark.timeout(300)
def test_nobody_elses_call_is_cancelled(deployment: Deployment) -> None:
    server: Process = deployment.start_server()
    callers = [Caller(deployment.address) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        wait_until(lambda: all(caller.calls for caller in callers), 60, "calls get through")
        connections = reset_streams(deployment.address)
    finally:
        for caller in callers:
            caller.end()
    assert [error for caller in callers for error in caller.errors] == []
    assert server.exit_code is None
    assert most_mebibytes(server.pid) < MOST_MEBIBYTES
    assert connections >= 1


def reset_streams(address: str) -> int:
    """Open and reset so many streams, on a new connection where the server closed one."""
    connections, sent = 0, 0
    while sent < RESETS:
        with Connection(address) as connection:
            connections += 1
            reader = threading.Thread(target=connection.drain)
            reader.start()
            try:
                sent = _reset_on(connection, address, sent)
            except OSError:
                continue
            finally:
                connection.close()
                reader.join()
    return connections


def _reset_on(connection: Connection, address: str, sent: int) -> int:
    headers = fields(PATH, address, [("content-type", "application/grpc"), ("te", "trailers")])
    stream = 1
    while sent < RESETS:
        frames = []
        for _ in range(AT_ONCE):
            frames += [frame(HEADERS, END_HEADERS, stream, headers)]
            frames += [frame(RST_STREAM, 0, stream, CANCEL)]
            stream += 2
        connection.send_raw(b"".join(frames))
        sent += AT_ONCE
    return sent
