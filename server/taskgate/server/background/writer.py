"""Group commit: whoever submits while a commit runs shares the next one.

One thread writes all submissions of this server, and hands to the dispatcher what is to be
published at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from taskgate.server.background.batcher import Batcher
from taskgate.server.errors import ShuttingDown
from taskgate.store import submission
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable, SubmissionRefused
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, Task
from taskgate.store.submission import Outcome
from taskgate.tasks.background.dispatcher import Dispatcher

logger = logging.getLogger(__name__)

MOST_TASKS = 500
"""In one transaction: larger ones are no faster, and all wait for the last of them."""

TASK_CHARACTERS = 16_384
"""Arguments so long count as one task more: a batch is one text in memory."""

PAUSE_SECONDS = 0.2
"""Before a commit is tried again; a database that restarts needs as long at least."""

_Tasks = Sequence[NewTask]
_Answer = list[Outcome] | Exception


class Writer:
    """Records submissions, as many in one transaction as there are."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._refusing = False
        self._batcher = Batcher[_Tasks, list[Outcome]](
            "writer", self._write, most=MOST_TASKS, size=_size, after=self._publish
        )
        self._to_publish: list[Task] = []
        self.loop = self._batcher.loop

    async def submit(self, new: NewTask) -> Task:
        """The task as recorded, or the one that the request id stands for; committed.

        Raises:
            SubmissionRefused: the request id stands for other content, or the unique key is held.
            StoreUnavailable: the database does not answer; whether the task was recorded is not
                known, unless it has a request id by which to ask again.
            ShuttingDown: the server is going.
        """
        [outcome] = await self.submit_all([new])
        if isinstance(outcome, SubmissionRefused):
            raise outcome
        return outcome

    async def submit_all(self, new_tasks: Sequence[NewTask]) -> list[Outcome]:
        """Record tasks in one transaction; what became of each, in their order.

        Raises:
            StoreUnavailable: the database does not answer, as for ``submit``.
            ShuttingDown: the server is going.
        """
        if self._refusing:
            raise ShuttingDown
        return await self._batcher.ask(new_tasks)

    def refuse(self) -> None:
        """Take no more submissions: the server is going."""
        self._refusing = True

    def _write(self, batch: Sequence[_Tasks]) -> list[_Answer]:
        try:
            return self._commit(batch)
        except StoreUnavailable as exc:
            return [exc for _ in batch]
        except Exception as exc:  # noqa: BLE001 - answered to the waiting callers
            return self._write_apart(batch, exc)

    def _write_apart(self, batch: Sequence[_Tasks], error: Exception) -> list[_Answer]:
        """One caller's tasks may have spoilt the transaction: the others must not pay for it."""
        if len(batch) < 2:
            return [error for _ in batch]
        logger.warning("writing %d submissions apart: together they failed: %r", len(batch), error)
        return [answer for new_tasks in batch for answer in self._write([new_tasks])]

    def _commit(self, batch: Sequence[_Tasks]) -> list[_Answer]:
        """Commit, twice if it is not known whether the first time succeeded: that is safe."""
        new_tasks = [new for some in batch for new in some]
        published = self._dispatcher.accepts_offers()
        try:
            outcomes = self._commit_once(new_tasks, published)
        except StoreUnavailable as exc:
            logger.warning("committing %d submissions again: %s", len(batch), exc)
            time.sleep(PAUSE_SECONDS)
            outcomes = self._commit_once(new_tasks, published)
        if published:
            self._to_publish += _queued(new_tasks, outcomes)
        following = iter(outcomes)
        return [[next(following) for _ in some] for some in batch]

    def _publish(self) -> None:
        # Not before the callers are answered: the dispatcher would keep the event loop waiting.
        if self._to_publish:
            to_publish, self._to_publish = self._to_publish, []
            self._dispatcher.offer(to_publish)

    def _commit_once(self, new_tasks: _Tasks, published: bool) -> list[Outcome]:
        with self._database.autocommit() as tx:
            return submission.submit(tx, new_tasks, published=published)


def _size(new_tasks: _Tasks) -> int:
    return sum(1 + len(new.arguments) // TASK_CHARACTERS for new in new_tasks)


def _queued(new_tasks: _Tasks, outcomes: Sequence[Outcome]) -> list[Task]:
    return [
        task
        for new, task in zip(new_tasks, outcomes, strict=True)
        if isinstance(task, Task) and task.id == new.id and task.state is State.QUEUED
    ]
