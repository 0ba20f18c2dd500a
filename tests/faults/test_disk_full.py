"""The record's disk fills up: Submit is refused, what was acknowledged runs, space heals all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from support.deployment import Deployment
from support.disk import SmallDisk, small_disk
from support.engines import Engines, RedisBroker
from support.invariants import check, wait_until_final
from support.postgres import PostgresServer
from support.redis import RedisServer
from support.traffic import DEADLINE, Submission, traffic_to
from taskgate.store.lifecycle import State
from taskgate.v1.task_service_pb2 import SubmitRequest
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

from .conftest import Deploy

TASKS = 100
PAYLOAD = "x" * 100_000
REFUSED = 5
MOST_SUBMITS = 400


@contextmanager
def sqlite_on_small_disk(folder: Path) -> Iterator[tuple[SmallDisk, str, Callable[[], None]]]:
    with small_disk(folder, 16) as disk:
        yield disk, f"sqlite:///{folder / 'record.db'}", lambda: None


@contextmanager
def postgres_on_small_disk(_folder: Path) -> Iterator[tuple[SmallDisk, str, Callable[[], None]]]:
    server = PostgresServer("min_wal_size=32MB", "max_wal_size=48MB")
    with small_disk(server.folder, 160) as disk, server:

        def restart_if_dead() -> None:
            """PostgreSQL gives up when it cannot write its log; whoever runs it starts it again."""
            if server.process is not None and server.process.exit_code is not None:
                server.start()

        yield disk, server.create_database("record"), restart_if_dead


@pytest.mark.timeout(240)
@pytest.mark.parametrize("record", ["sqlite", "postgresql"])
def test_refused_cleanly_and_healed(
    record: str,
    tmp_path: Path,
    redis_server: RedisServer,
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    on_small_disk = {"sqlite": sqlite_on_small_disk, "postgresql": postgres_on_small_disk}[record]
    with on_small_disk(folder) as (disk, database_url, restart_if_dead):
        deployment = deploy(Engines(RedisBroker(redis_server), database_url))
        deployment.start_server()
        deployment.start_worker("--pool=threads", "--concurrency=4")
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.05})
            before = traffic.wait()
        disk.fill()
        meanwhile = submit_until_refused(deployment)
        disk.free()
        restart_if_dead()
        freed_at = time.monotonic()
        with traffic_to(deployment) as traffic:
            traffic.submit(TASKS)
            after = traffic.wait()
        healed = time.monotonic() - freed_at
        acknowledged = [*before, *meanwhile, *after]
        wait_until_final(deployment, [s.task_id for s in acknowledged], 90)
        evidence = check(deployment, acknowledged)
        assert set(evidence.states) == {State.SUCCEEDED}
        measured(evidence, acknowledged_on_full_disk=len(meanwhile), recovery=healed)


def submit_until_refused(deployment: Deployment) -> list[Submission]:
    """Submit large tasks, one after the other, until some were refused; those acknowledged."""
    acknowledged, refused = [], 0
    stub = deployment.stub()
    for number in range(MOST_SUBMITS):
        submission = submit_or_be_refused(stub, f"full-{number}")
        if submission is not None:
            acknowledged.append(submission)
            continue
        refused += 1
        if refused == REFUSED:
            return acknowledged
    raise AssertionError(f"only {refused} of {MOST_SUBMITS} were refused: the disk is not full")


def submit_or_be_refused(stub: TaskServiceStub, request_id: str) -> Submission | None:
    """Submit a large task; None if it is refused as it should be."""
    request = SubmitRequest(task_type="journal.run", request_id=request_id)
    request.kwargs["value"] = PAYLOAD
    began = time.monotonic()
    try:
        task = stub.Submit(request, timeout=DEADLINE).task
    except grpc.RpcError as error:
        if isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.UNAVAILABLE:
            return None
        raise
    return Submission(task.id, request_id, 1, time.monotonic() - began)
