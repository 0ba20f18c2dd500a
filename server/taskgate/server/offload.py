"""Work that takes more than a moment, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

SMALL = 32 * 1024
"""What is smaller, in bytes, is done at once: it takes about a millisecond."""

THREADS = 2
"""They share one interpreter with the event loop, so more would not be faster."""


class Offload:
    """Threads for parsing, validating and converting what is large."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="taskgate-offload")

    async def run(self, size: int, function: Callable[[], T]) -> T:
        """What the function returns; it runs in the event loop if what it works on is small."""
        if size < SMALL:
            return function()
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
