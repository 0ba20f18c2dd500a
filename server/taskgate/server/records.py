"""The record for the event loop: the store's functions, run in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection

from taskgate.server.requests import fields
from taskgate.store import queries
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable

T = TypeVar("T")

THREADS = 8
"""More only make the database's work wait inside the database."""

LIST_THREADS = 4
"""Of their own: however slow lists are, Submit and Get go on."""

LIST_SECONDS = 25.0
"""PostgreSQL ends a list's statement then."""

MAX_SECONDS = 30.0
"""A database that froze keeps its threads; the callers are answered."""


class Records:
    """Runs functions of the store in transactions, off the event loop."""

    def __init__(
        self, database: Database, threads: int = THREADS, statement_seconds: float | None = None
    ) -> None:
        """``statement_seconds``: when PostgreSQL ends a statement that reads; never if None."""
        self._database = database
        self._statement_seconds = None if database.is_sqlite else statement_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="taskgate-records")

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

    async def resolve_ids(self, task_ids: Sequence[str]) -> dict[str, str]:
        """The ids as they are on record, by the ids given: UUIDs may be given in capitals.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        others = {one: other for one in task_ids if (other := fields.other_spelling(one))}
        exact = await self.read(lambda tx: queries.versions(tx, list(others))) if others else {}
        return {one: one if one in exact else others.get(one, one) for one in task_ids}

    async def resolve_id(self, task_id: str) -> str:
        """As ``resolve_ids``, for one."""
        return (await self.resolve_ids([task_id]))[task_id]

    def close(self) -> None:
        """Start nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(MAX_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, function)
        except TimeoutError as exc:
            raise StoreUnavailable(f"the database took longer than {MAX_SECONDS:g} s") from exc

    def _read(self, function: Callable[[Connection], T]) -> T:
        with self._database.read() as tx:
            if self._statement_seconds is not None:
                milliseconds = int(self._statement_seconds * 1000)
                tx.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
            return function(tx)

    def _write(self, function: Callable[[Connection], T]) -> T:
        with self._database.write() as tx:
            return function(tx)
