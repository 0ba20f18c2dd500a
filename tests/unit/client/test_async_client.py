"""The client in an event loop: what it shares with the other is tested there, the waiting here."""

from __future__ import annotations

import asyncio
import inspect
import threading

import grpc
import pytest
from google.rpc import error_details_pb2

from support.scripted import Script, answer, info, refuse
from taskgate import client as taskgate
from taskgate.client import AsyncClient, AsyncTaskHandle, AsyncTasks, Client, TaskHandle, Tasks
from taskgate.v1 import task_pb2

_AWAY = refuse(grpc.StatusCode.UNAVAILABLE, "restarting")
_DROPPED = refuse(grpc.StatusCode.CANCELLED, "not begun")


def _get(address: str, **options: float) -> taskgate.Task:
    async def get() -> taskgate.Task:
        async with AsyncClient(address, **options) as client:  # type: ignore[arg-type]
            return await client.task("some-id").get()

    return asyncio.run(get())


def test_both_clients_have_the_same_calls() -> None:
    for core, wrapped in (
        (AsyncClient, Client),
        (AsyncTaskHandle, TaskHandle),
        (AsyncTasks, Tasks),
    ):
        ours, theirs = _methods(core), _methods(wrapped)
        assert ours.keys() - {"of"} == theirs.keys()
        for name, signature in theirs.items():
            assert signature.parameters == ours[name].parameters, name


def _methods(kind: type) -> dict[str, inspect.Signature]:
    functions = inspect.getmembers(kind, callable)
    return {
        name: inspect.signature(function) for name, function in functions if name.strip("_") == name
    }


def test_a_call_is_repeated_while_the_server_is_away(script: Script, address: str) -> None:
    script.steps = [_AWAY, _DROPPED, _DROPPED, answer(task_pb2.TASK_STATE_QUEUED)]
    assert _get(address).state is taskgate.State.QUEUED
    assert len(script.calls) == 4


def test_a_call_is_given_up_when_its_time_is_over(script: Script, address: str) -> None:
    script.steps = [_AWAY]
    with pytest.raises(taskgate.Unavailable, match="restarting"):
        _get(address, timeout=0.4)


def test_errors_are_typed(script: Script, address: str) -> None:
    request = error_details_pb2.BadRequest()
    request.field_violations.add(field="id", description="is none")
    script.steps = [refuse(grpc.StatusCode.INVALID_ARGUMENT, "bad", info("FIELD_INVALID"), request)]
    with pytest.raises(taskgate.InvalidRequest) as raised:
        _get(address)
    assert raised.value.reason == "FIELD_INVALID"
    assert raised.value.violations == (taskgate.Violation("id", "is none"),)


def test_a_client_may_be_made_before_there_is_a_loop(script: Script, address: str) -> None:
    script.steps = [
        _AWAY,
        answer(task_pb2.TASK_STATE_RUNNING),
        _DROPPED,
        answer(task_pb2.TASK_STATE_SUCCEEDED),
    ]
    client = AsyncClient(address)

    async def wait() -> taskgate.Task:
        async with client:
            return await client.task("some-id").wait(60)

    assert asyncio.run(wait()).is_final


def test_cancelling_the_caller_cancels_the_call(script: Script, address: str) -> None:
    async def cancel() -> None:
        async with AsyncClient(address) as client:
            called, cancelled = threading.Event(), threading.Event()

            def step(context: grpc.ServicerContext) -> task_pb2.Task:
                context.add_callback(cancelled.set)
                called.set()
                cancelled.wait(30)
                return task_pb2.Task()

            script.steps = [step]
            waiting = asyncio.create_task(client.task("some-id").wait())
            assert await asyncio.to_thread(called.wait, 30)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await asyncio.to_thread(cancelled.wait, 30)

    asyncio.run(cancel())
    assert len(script.calls) == 1
