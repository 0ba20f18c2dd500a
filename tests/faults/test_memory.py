"""What server and worker occupy does not depend on how many tasks they have seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from support.deployment import Deployment
from support.engines import Engines
from support.processes import memory
from support.waiting import wait_until
from taskgate.store.lifecycle import State
from taskgate.store.tables import tasks
from taskgate.v1.task_service_pb2 import SubmitBatchRequest, SubmitRequest

from .conftest import Deploy

TASKS = 100_000
WARM = 20_000
"""After so many caches are full and allocators have what they need."""

BATCH = 500
AHEAD = 5_000
"""How many more are submitted than have ended."""

GROWTH = 1.1
POOLS = {"prefork": 2, "threads": 8}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("pool", POOLS)
def test_memory_is_flat_over_many_tasks(
    pool: str, engines_of: Callable[[str], Engines], deploy: Deploy
) -> None:
    deployment = deploy(engines_of("redis+postgresql"))
    server = deployment.start_server()
    worker = deployment.start_worker(
        f"--pool={pool}", f"--concurrency={POOLS[pool]}", "--loglevel=WARNING"
    )
    _run(deployment, 0, WARM)
    before = memory(server.pid), memory(worker.pid)
    _run(deployment, WARM, TASKS)
    after = memory(server.pid), memory(worker.pid)
    for name, was, now in zip(("server", "worker"), before, after, strict=True):
        assert now < GROWTH * was, f"the {name} grew from {was >> 20} to {now >> 20} MiB"


def _run(deployment: Deployment, first: int, last: int) -> None:
    stub = deployment.stub()
    batch = SubmitBatchRequest(requests=[SubmitRequest(task_type="journal.run")] * BATCH)
    for number in range(first, last, BATCH):
        _wait_until_ended(deployment, number - AHEAD)
        stub.SubmitBatch(batch, timeout=60)
    _wait_until_ended(deployment, last)


def _wait_until_ended(deployment: Deployment, number: int) -> None:
    wait_until(lambda: _ended(deployment) >= number, 120, f"{number} tasks have ended")


def _ended(deployment: Deployment) -> int:
    with deployment.database.read() as tx:
        succeeded = select(func.count()).where(tasks.c.state == State.SUCCEEDED)
        return int(tx.execute(succeeded).scalar_one())
