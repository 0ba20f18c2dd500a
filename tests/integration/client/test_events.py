"""Events, for threads and for asyncio: all, resumed, followed."""

from __future__ import annotations

import asyncio
from itertools import islice

import pytest

from support.up import Up
from taskgate import client as taskgate
from taskgate.client import AsyncClient, Client, EventKind, State

SECONDS = 60


def test_a_task_tells_its_history(client: Client) -> None:
    task = client.submit("demo.add", [1, 2])
    task.wait(SECONDS)
    kinds = [EventKind.SUBMITTED, EventKind.STARTED, EventKind.ENDED]
    followed = list(islice(client.events(task, follow=True), 3))
    assert [event.kind for event in followed] == kinds
    assert [event.state for event in followed] == [None, State.RUNNING, State.SUCCEEDED]
    ended = followed[-1]
    assert (ended.task_id, ended.outcome, ended.attempt) == (task.id, "SUCCEEDED", 1)
    assert ended.worker
    assert ended.error is None
    assert list(client.events(task.id, after=followed[0].cursor, page_size=1)) == followed[1:]
    assert list(client.events(task, kinds=[EventKind.ENDED], since=ended.time)) != []


def test_a_failure_comes_with_its_error(client: Client) -> None:
    task = client.submit("demo.fail", ["no"])
    task.wait(SECONDS)
    [ended] = islice(client.events(task, kinds=[EventKind.ENDED], follow=True), 1)
    assert ended.error is not None
    assert str(ended.error).endswith(": no")
    assert not ended.error.traceback


def test_all_are_followed_from_a_cursor(client: Client) -> None:
    first = client.submit("demo.add", [1, 2])
    [begun] = islice(client.events(first, follow=True), 1)
    tasks = {client.submit("demo.add", [n, 2]).id for n in range(5)}
    [start] = islice(client.events(since=begun.time, follow=True), 1)
    seen = set()
    for event in client.events(after=start.cursor, follow=True):
        if event.kind is EventKind.ENDED:
            seen.add(event.task_id)
        if tasks <= seen:
            return


def test_an_unknown_task(client: Client) -> None:
    with pytest.raises(taskgate.TaskNotFound):
        list(client.events("0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"))


def test_in_an_event_loop(up: Up) -> None:
    async def followed() -> list[EventKind]:
        kinds = []
        async with AsyncClient(up.address) as client:
            task = await client.submit("demo.add", [1, 2], delay=3600)
            await task.abort("not needed")
            async for event in client.events(task, follow=True):
                kinds.append(event.kind)
                if event.kind is EventKind.ENDED:
                    break
        return kinds

    kinds = [EventKind.SUBMITTED, EventKind.CALLED, EventKind.ENDED]
    assert asyncio.run(followed()) == kinds
