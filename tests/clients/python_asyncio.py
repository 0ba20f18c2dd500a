"""Calls a server that is restarted meanwhile, in an event loop: test_restarts.py says how."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from taskgate.client import AsyncClient, AsyncTaskHandle, State, Task

CALLERS = 4
PAUSE = 0.01

client = AsyncClient(sys.argv[1], timeout=60)  # a busy machine starts a server slowly
calls: Counter[str] = Counter()
errors: list[str] = []
stopping = asyncio.Event()


async def note(name: str, call: Awaitable[Any]) -> None:
    """Make a call and keep what became of it."""
    try:
        await call
    except Exception as error:  # noqa: BLE001 - whatever the caller sees is an answer here
        errors.append(f"{name}: {error!r}")
    calls[name] += 1


async def again(name: str, call: Callable[[int], Awaitable[Any]], first: asyncio.Event) -> None:
    """Make a call until it is time to stop, and once more."""
    for number in count():
        last = stopping.is_set()
        await note(name, call(number))
        first.set()
        if last:
            return
        await asyncio.sleep(PAUSE)


async def submit(request: str) -> AsyncTaskHandle:
    request_id = f"asyncio-{os.getpid()}-{request}"
    return await client.submit("demo.add", delay=3600, request_id=request_id)


async def submit_twice(request: str) -> None:
    first, second = await submit(request), await submit(request)
    assert first.id == second.id, "one request id made two tasks"


async def list_some() -> None:
    async for _page in client.list(page_size=5).pages():
        break


async def wait(handle: AsyncTaskHandle) -> None:
    expect_aborted(await handle.wait())


async def watch(handle: AsyncTaskHandle) -> None:
    seen = [task async for task in client.watch([handle])]
    versions = [task.version for task in seen]
    assert versions == sorted(set(versions)), versions
    expect_aborted(seen[-1])


def expect_aborted(task: Task) -> None:
    assert task.state is State.ABORTED, task.state


async def main() -> None:
    followed = [await submit(f"followed-{number}") for number in range(CALLERS)]
    started: list[asyncio.Event] = []
    async with client, asyncio.TaskGroup() as group:
        for number, handle in enumerate(followed):
            group.create_task(note("wait", wait(handle)))
            group.create_task(note("watch", watch(handle)))
            repeated: tuple[tuple[str, Callable[[int], Awaitable[Any]]], ...] = (
                ("submit", lambda turn, number=number: submit_twice(f"{number}-{turn}")),  # type: ignore[misc]
                ("get", lambda _turn, handle=handle: handle.get(wait=1)),  # type: ignore[misc]
                ("list", lambda _turn: list_some()),
            )
            for name, call in repeated:
                started.append(asyncio.Event())
                group.create_task(again(name, call, started[-1]))
        for event in started:
            await event.wait()
        print("READY", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        stopping.set()
        for handle in followed:
            await note("abort", handle.abort())
    print(json.dumps({"calls": calls, "errors": errors}))


if __name__ == "__main__":
    asyncio.run(main())
