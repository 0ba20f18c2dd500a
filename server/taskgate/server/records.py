"""The record for the event loop: the store's functions, run in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from taskgate.store.engine import Database
from taskgate.store.errors import StoreUnavailable

T = TypeVar("T")

THREADS = 8
"""More only make the database's work wait inside the database."""

MOST_SECONDS = 30.0
"""A database that froze keeps its threads; the callers are answered."""


class Records:
    """Runs functions of the store in transactions, off the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="taskgate-records")

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function in a transaction that only reads.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        return await self._run(lambda: self._read(function))

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Run a function in a transaction that writes; an exception takes back what it did.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        return await self._run(lambda: self._write(function))

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, function)
        except TimeoutError as exc:
            raise StoreUnavailable(f"the database took longer than {MOST_SECONDS:g} s") from exc

    def _read(self, function: Callable[[Connection], T]) -> T:
        with self._database.read() as tx:
            return function(tx)

    def _write(self, function: Callable[[Connection], T]) -> T:
        with self._database.write() as tx:
            return function(tx)
