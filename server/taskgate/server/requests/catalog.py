"""What can be submitted: the task types and queues on record, kept for a few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from taskgate.server.records import Records
from taskgate.server.requests.signature import Signature
from taskgate.store import task_types, workers
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks.settings import DEFAULT_QUEUE

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
        return self.recorded.definition.get("queue") or DEFAULT_QUEUE

    @property
    def max_attempts(self) -> int | None:
        """How many attempts a task has that does not say; None if that is not bounded."""
        options: Mapping[str, Any] = self.recorded.definition.get("options") or {}
        retries: int | None = options.get("max_retries")
        return None if retries is None else retries + 1

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

    async def recent(self) -> Known:
        """A reading a few seconds old at most, or the last one while the database is away.

        It may lack what was registered just now: before refusing by it, look at ``read_since``.

        Raises:
            StoreUnavailable: there is no reading, and the database does not answer.
        """
        try:
            return await self.read_since(time.monotonic() - FRESH_SECONDS)
        except StoreUnavailable:
            if not self._known.types:
                raise
            logger.warning("the database does not answer: checking against the last known types")
            return self._known

    async def read_since(self, began_at: float) -> Known:
        """A reading begun after a monotonic time. However many ask, two readings serve them all.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        async with self._reading:
            if self._read_at < began_at:
                begun_at = time.monotonic()
                self._known = await self._records.read(self._read)
                self._read_at = begun_at
            return self._known

    def _read(self, tx: Connection) -> Known:
        types = {
            name: self._same_or_new(recorded) for name, recorded in task_types.by_name(tx).items()
        }
        return Known(types, self._queues | _queues(types.values(), workers.list_all(tx)))

    def _same_or_new(self, recorded: task_types.TaskType) -> KnownType:
        """The type known before, with its compiled schemas, if nothing about it has changed."""
        known = self._known.types.get(recorded.name)
        return known if known is not None and known.recorded == recorded else KnownType(recorded)


def known_queues(tx: Connection) -> frozenset[str]:
    """The queues that workers take tasks from, and those of task types."""
    types = (KnownType(recorded) for recorded in task_types.by_name(tx).values())
    return _queues(types, workers.list_all(tx))


def _queues(types: Iterable[KnownType], of_workers: Iterable[workers.Worker]) -> frozenset[str]:
    taken = {queue for worker in of_workers for queue in worker.details.get("queues") or ()}
    return frozenset(taken | {known.queue for known in types})
