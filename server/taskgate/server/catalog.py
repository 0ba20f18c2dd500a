"""What can be submitted: the task types and queues on record, kept for a few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Connection

from taskgate.server.errors import InvalidRequest
from taskgate.server.records import Records
from taskgate.server.signature import Signature
from taskgate.store import task_types, workers
from taskgate.store.errors import StoreUnavailable

T = TypeVar("T")

logger = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
"""How long a reading serves as long as it refuses nothing."""


class KnownType:
    """A task type on record."""

    def __init__(self, recorded: task_types.TaskType) -> None:
        self.recorded = recorded
        self.name = recorded.name

    @property
    def queue(self) -> str:
        """The queue of tasks that name none."""
        return str(self.recorded.definition["queue"])

    @property
    def max_attempts(self) -> int | None:
        """How many attempts a task has that does not say; None if that is not bounded."""
        options: Mapping[str, Any] = self.recorded.definition.get("options") or {}
        return options.get("max_attempts")

    @cached_property
    def signature(self) -> Signature:
        """Its parameters; their schemas are compiled at the first use."""
        return Signature.from_definition(self.recorded.definition)


@dataclass(frozen=True, slots=True)
class Known:
    """One reading of what can be submitted."""

    types: Mapping[str, KnownType] = field(default_factory=dict)
    queues: frozenset[str] = frozenset()


class Catalog:
    """The latest reading, shared by all calls."""

    def __init__(self, records: Records, queues: tuple[str, ...]) -> None:
        """``queues``: those that exist whether or not any worker or task type names them."""
        self._records = records
        self._queues = frozenset(queues)
        self._known = Known()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def judge(self, judgement: Callable[[Known], T]) -> T:
        """What the judgement returns. It refuses nothing because the reading was old.

        Raises:
            InvalidRequest: the judgement raised it on a reading begun after this call.
            StoreUnavailable: there is no reading, and the database does not answer.
        """
        asked_at = time.monotonic()
        known = await self._fresh(asked_at)
        try:
            return judgement(known)
        except InvalidRequest:
            newer = await self._read_since(asked_at)
            if newer is known:
                raise
        return judgement(newer)

    async def _fresh(self, asked_at: float) -> Known:
        try:
            return await self._read_since(asked_at - FRESH_SECONDS)
        except StoreUnavailable:
            if not self._known.types:
                raise
            logger.warning("the database does not answer: checking against the last known types")
            return self._known

    async def _read_since(self, time_asked: float) -> Known:
        """A reading begun after a time. However many ask, two readings serve them all."""
        async with self._reading:
            if self._read_at < time_asked:
                begun_at = time.monotonic()
                self._known = await self._records.read(self._read)
                self._read_at = begun_at
            return self._known

    def _read(self, tx: Connection) -> Known:
        types = {
            name: self._same_or_new(recorded)
            for name, recorded in task_types.all_of_them(tx).items()
        }
        queues = {queue for worker in workers.all_of_them(tx) for queue in _queues(worker.details)}
        queues.update(known.queue for known in types.values())
        return Known(types, self._queues | queues)

    def _same_or_new(self, recorded: task_types.TaskType) -> KnownType:
        """The type known before, with its compiled schemas, if nothing about it has changed."""
        known = self._known.types.get(recorded.name)
        return known if known is not None and known.recorded == recorded else KnownType(recorded)


def _queues(details: Mapping[str, Any]) -> list[str]:
    return details.get("queues") or []
