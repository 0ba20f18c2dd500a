"""Calls that wait for something that nobody is told of: they look, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.5
"""Between two looks for one caller."""


class LongPolls:
    """The calls of a server that wait; all are answered when it stops."""

    def __init__(self, longest: float) -> None:
        """``longest``: how long a call may wait, in seconds."""
        self.longest = longest
        self._closing = asyncio.Event()

    async def until_news(self, look: Callable[[], Awaitable[tuple[T, bool]]], seconds: float) -> T:
        """What ``look`` finds, as soon as it says that it is news, or when the time is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            found, is_news = await look()
            rest = end - loop.time()
            if is_news or rest <= 0 or self._closing.is_set():
                return found
            await self._pause(min(rest, POLL_SECONDS))

    def close(self) -> None:
        """Answer those who wait."""
        self._closing.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
