"""Clients and messages that mean harm: memory stays bounded, the others are served."""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import grpc
import pytest

from support.deployment import Deployment
from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.processes import Process
from support.redis import RedisServer
from support.traffic import traffic_to
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.v1.task_service_pb2 import SubmitRequest, WatchedTask, WatchRequest

from .conftest import Deploy

METHOD = "/taskgate.v1.TaskService/Submit"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

TASKS = 200
MOST_MEBIBYTES = 600
"""How much memory the server may ever have taken."""

Call = Callable[..., bytes]

HUGE = 100 << 20
SLOW_CLIENTS = 200
SLOW_READERS = 100
RESULTS = 20
RESULT_SIZE = 500_000


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def deployment(redis: RedisServer, postgres_url: str, deploy: Deploy) -> Deployment:
    return deploy(Engines(RedisBroker(redis), postgres_url))


@pytest.fixture
def server(deployment: Deployment) -> Process:
    return deployment.start_server()


@pytest.fixture
def worker(deployment: Deployment) -> Process:
    return deployment.start_worker("--pool=prefork", "--concurrency=4")


def send_nonsense(deployment: Deployment, exits: ExitStack) -> None:
    """Bytes that are no message, in calls that are."""
    channel = exits.enter_context(grpc.insecure_channel(deployment.address))
    submit: Call = channel.unary_unary(METHOD)
    for number in range(200):
        code = code_of(submit, random.Random(number).randbytes(number + 1))
        assert code in {None, grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT}, code


def send_huge_payloads(deployment: Deployment, exits: ExitStack) -> None:
    unlimited = [("grpc.max_send_message_length", -1)]
    channel = exits.enter_context(grpc.insecure_channel(deployment.address, unlimited))
    submit: Call = channel.unary_unary(METHOD)
    huge = SubmitRequest(task_type="journal.run", arguments_json="[" * HUGE).SerializeToString()
    for _ in range(5):
        assert code_of(submit, huge) is grpc.StatusCode.RESOURCE_EXHAUSTED


def open_slow_connections(deployment: Deployment, exits: ExitStack) -> None:
    """Connections that say a part of what they should, and then nothing."""
    host, _, port = deployment.address.rpartition(":")
    for number in range(SLOW_CLIENTS):
        connection = socket.create_connection((host, int(port)), timeout=10)
        exits.enter_context(closing(connection))
        connection.sendall(PREFACE[: number % len(PREFACE)] or PREFACE + os.urandom(7))


def watch_without_reading(deployment: Deployment, exits: ExitStack) -> None:
    """Streams of large results whose clients take none."""
    ids = run_some(deployment, RESULTS, {"value": "x" * RESULT_SIZE})
    watched = WatchRequest(tasks=[WatchedTask(id=task_id) for task_id in ids])
    for _ in range(SLOW_READERS):
        stream = deployment.stub().Watch(watched)
        exits.callback(stream.cancel)


def code_of(call: Call, request: bytes) -> grpc.StatusCode | None:
    """How the call failed; None if it did not."""
    try:
        call(request, timeout=30)
    except grpc.RpcError as error:
        return error.code()
    return None


def run_some(deployment: Deployment, number: int, kwargs: dict[str, Any]) -> list[str]:
    with traffic_to(deployment) as traffic:
        traffic.submit(number, kwargs=lambda: kwargs)
        ids = [s.task_id for s in traffic.wait()]
    wait_until_final(deployment, ids, 60)
    return ids


ATTACKS = {
    "malformed protobuf": send_nonsense,
    "100 MB payloads": send_huge_payloads,
    "slow HTTP/2 clients": open_slow_connections,
    "slow stream readers": watch_without_reading,
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("attack", ATTACKS)
def test_others_are_served_in_bounded_memory(
    attack: str,
    deployment: Deployment,
    server: Process,
    worker: Process,
    measured: Callable[..., None],
) -> None:
    with ExitStack() as exits:
        ATTACKS[attack](deployment, exits)
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS)
            submissions = traffic.wait()
        wait_until_final(deployment, [s.task_id for s in submissions], 60)
    evidence = check(deployment, submissions)
    assert set(evidence.states) == {State.SUCCEEDED}
    assert max(s.calls for s in submissions) == 1
    memory = most_mebibytes(server.pid)
    assert memory < MOST_MEBIBYTES
    assert server.exit_code is None
    assert worker.exit_code is None
    median = statistics.median(s.longest_call for s in submissions)
    measured(evidence, server_memory=f"{memory} MiB", median_submit=median)


def most_mebibytes(pid: int) -> int:
    """The most memory that a process ever had in use."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) >> 10


PICKLED = json.dumps(
    {
        "body": "e30=",
        "content-type": "application/x-python-serialize",
        "content-encoding": "utf-8",
        "headers": {"task": "journal.run", "id": "pickled"},
        "properties": {"delivery_info": {}, "delivery_tag": "1", "body_encoding": "base64"},
    }
)
UNKNOWN = json.dumps(
    {
        "body": "W1tdLCB7fSwge31d",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "nobody.knows", "id": "unknown", "lang": "py"},
        "properties": {
            "delivery_info": {"exchange": "", "routing_key": "celery"},
            "delivery_tag": "2",
            "body_encoding": "base64",
        },
    }
)
GARBAGE = (
    "",
    "null",
    "[]",
    "{",
    "no JSON at all",
    '{"body": "not base64!", "headers": {}, "properties": {}}',
    PICKLED,
    UNKNOWN,
    "\x00" * 1000,
    "x" * 1_000_000,
)


@pytest.mark.timeout(180)
def test_garbage_on_the_queue(
    redis: RedisServer,
    deployment: Deployment,
    server: Process,
    worker: Process,
    measured: Callable[..., None],
) -> None:
    run_some(deployment, 1, {})
    with traffic_to(deployment) as traffic, closing(redis.client()) as client:
        for garbage in GARBAGE:
            traffic.submit(TASKS // len(GARBAGE))
            client.lpush("celery", garbage)
        submissions = traffic.wait()
        wait_until_final(deployment, [s.task_id for s in submissions], 90)
        wait_until(lambda: client.llen("celery") == 0, 30, "the garbage is gone")
    evidence = check(deployment, submissions)
    assert evidence.run_twice == 0
    assert worker.exit_code is None
    assert server.exit_code is None
    measured(evidence, pieces=len(GARBAGE))
