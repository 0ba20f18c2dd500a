"""Work in the background: its failures are seen, and a server without it does not serve."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.serving import SECONDS, InProcessServer
from support.waiting import wait_until
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks.background import loop as loops
from taskgate.tasks.background.loop import Loop


class Ends(BaseException):
    """What no loop survives."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_BACKOFF_SECONDS", 0.01)


def test_a_step_that_fails_is_counted_and_called_again() -> None:
    errors = [StoreUnavailable("away"), RuntimeError("no")]
    done = threading.Event()

    def step() -> None:
        if errors:
            raise errors.pop()
        done.set()

    loop = Loop("test", step)
    loop.start()
    assert done.wait(SECONDS)
    assert loop.stop(SECONDS)
    assert (loop.failures, loop.is_broken) == (2, False)


def test_a_loop_that_stops_does_what_is_left() -> None:
    left = [1, 2, 3]
    loop = Loop("test", lambda: left.pop() * 0.0, first_pause=60, is_idle=lambda: not left)
    loop.start()
    assert loop.stop(SECONDS)
    assert left == []


def test_a_loop_waits_until_it_is_woken() -> None:
    calls: list[int] = []
    loop = Loop("test", lambda: calls.append(1))
    loop.start()
    for number in range(1, 20):
        wait_until(lambda number=number: len(calls) == number, SECONDS)  # type: ignore[misc]
        loop.wake()
    assert loop.stop(SECONDS)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", ["dispatcher", "writer", "sweeper"])
def test_a_server_whose_loop_has_ended_does_not_serve(
    server: InProcessServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [loop] = [loop for loop in server.server._loops if loop.name == name]

    def end() -> None:
        raise Ends

    monkeypatch.setattr(loop, "_step", end)
    loop.wake()
    health: Any = health_pb2_grpc.HealthStub(server.channel())

    def status(service: str) -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return int(health.Check(request, timeout=SECONDS).status)

    for service in ("", "taskgate.v1.TaskService", "liveness"):
        wait_until(
            lambda service=service: status(service) == health_pb2.HealthCheckResponse.NOT_SERVING,  # type: ignore[misc]
            SECONDS,
        )
    monkeypatch.undo()
