"""Many Gets in one query: whoever asks while a query runs shares the next one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from taskgate.server.background.batcher import Batcher
from taskgate.store import queries
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskNotFound
from taskgate.store.record import Task

MOST_TASKS = 200
"""In one query."""

MOST_CHARACTERS = 4_000_000
"""Of arguments and results in one query: after more, fewer tasks are asked for at once."""


class Reader:
    """Reads single tasks, as many in one query as are asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher = Batcher[str, Task]("reader", self._read, most=MOST_TASKS)
        self.loop = self._batcher.loop

    async def task(self, task_id: str) -> Task:
        """The task with its past attempts, as it is now.

        Raises:
            TaskNotFound: there is no such record.
            StoreUnavailable: the database does not answer.
        """
        return await self._batcher.ask(task_id)

    def _read(self, task_ids: Sequence[str]) -> list[Task | Exception]:
        with self._database.read() as tx:
            found = queries.get_many(tx, set(task_ids))
        self._batcher.most = _most_next(found.values(), self._batcher.most)
        return [found.get(task_id) or TaskNotFound(task_id) for task_id in task_ids]


def _most_next(found: Collection[Task], most: int) -> int:
    """How many tasks to read at once, after these."""
    characters = sum(len(task.arguments) + len(task.result or "") for task in found)
    if characters > MOST_CHARACTERS:
        return max(len(found) * MOST_CHARACTERS // characters, 1)
    return min(2 * most, MOST_TASKS)
