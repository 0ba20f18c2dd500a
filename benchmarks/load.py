"""Load on a server that speaks Submit: so many calls, so many at once, from one process."""

from __future__ import annotations

import asyncio
import time

import grpc

from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def submit_rate(address: str, calls: int, at_once: int) -> float:
    """Answered Submits a second."""
    return asyncio.run(_submit_rate(address, calls, at_once))


async def _submit_rate(address: str, calls: int, at_once: int) -> float:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = TaskServiceStub(channel)
        request = task_service_pb2.SubmitRequest(task_type="bench.count")
        await stub.Submit(request, wait_for_ready=True)
        begun_at = time.monotonic()
        await asyncio.gather(*(_submit(stub, request, calls // at_once) for _ in range(at_once)))
        return calls // at_once * at_once / (time.monotonic() - begun_at)


async def _submit(
    stub: TaskServiceStub, request: task_service_pb2.SubmitRequest, calls: int
) -> None:
    for _ in range(calls):
        await stub.Submit(request, timeout=60)
