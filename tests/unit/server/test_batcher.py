"""Batches: a busy process waits for company, an idle one for nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import pytest

from taskgate.server.background import batcher as module
from taskgate.server.background.batcher import Batcher, _Cpu

SECONDS = 30


class Doubling:
    """Doubles numbers, and knows which it was given together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.batcher = Batcher[int, int]("doubling", self._double, most=100)

    def _double(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        return [2 * number for number in numbers]

    async def ask_one_by_one(self, numbers: Sequence[int]) -> list[int]:
        """Ask for one number in each turn of the event loop."""
        asking = []
        for number in numbers:
            asking.append(asyncio.ensure_future(self.batcher.ask(number)))
            await asyncio.sleep(0)
        return await asyncio.wait_for(asyncio.gather(*asking), SECONDS)

    async def ask_at_once(self, numbers: Sequence[int]) -> list[int]:
        asking = [self.batcher.ask(number) for number in numbers]
        return await asyncio.wait_for(asyncio.gather(*asking), SECONDS)


@pytest.fixture
def doubling() -> Iterator[Doubling]:
    doubling = Doubling()
    yield doubling
    assert doubling.batcher.loop.stop(SECONDS)


def test_a_busy_process_waits_for_company(
    doubling: Doubling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Cpu, "is_busy", lambda _: True)
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.3)

    async def ask() -> list[int]:
        both = asyncio.ensure_future(doubling.ask_at_once([1, 2]))
        await asyncio.sleep(0)
        doubling.batcher.loop.start()
        return [*await both, *await doubling.ask_one_by_one([3, 4, 5])]

    assert asyncio.run(ask()) == [2, 4, 6, 8, 10]
    assert doubling.batches == [[1, 2], [3, 4, 5]]


@pytest.mark.parametrize(("busy", "first"), [(False, [1, 2]), (True, [1])])
def test_nobody_waits_in_an_idle_process_or_for_company_that_never_came(
    doubling: Doubling, monkeypatch: pytest.MonkeyPatch, busy: bool, first: list[int]
) -> None:
    monkeypatch.setattr(_Cpu, "is_busy", lambda _: busy)
    monkeypatch.setattr(module, "GATHER_SECONDS", 3600)
    doubling.batcher.loop.start()

    async def ask() -> None:
        await doubling.ask_at_once(first)
        await doubling.ask_at_once([3])

    asyncio.run(ask())
    assert doubling.batches[-1] == [3]


def test_busy_is_who_uses_most_of_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    now, used = 0.0, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "process_time", lambda: used)
    cpu = _Cpu()
    assert not cpu.is_busy()
    now, used = 1.0, 0.8
    assert cpu.is_busy()
    now, used = 1.01, 0.8
    assert cpu.is_busy()  # too short a time to tell
    now, used = 2.0, 0.9
    assert not cpu.is_busy()
