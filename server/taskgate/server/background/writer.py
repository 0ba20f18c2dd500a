"""Group commit: whoever submits while a commit runs shares the next one. There is no timer.

One thread writes all submissions of this server, and hands to the dispatcher what is to be
published at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from taskgate.server.errors import ShuttingDown
from taskgate.store import queries, submission
from taskgate.store.database.engine import Database
from taskgate.store.errors import RequestIdReused, StoreUnavailable
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, Task
from taskgate.tasks.background.dispatcher import Dispatcher
from taskgate.tasks.background.loop import Loop

logger = logging.getLogger(__name__)

MOST_TASKS = 500
"""In one transaction: larger ones are no faster, and all wait for the last of them."""

MOST_SECONDS = 30.0
"""A database that froze keeps the writer; the callers are answered."""

PAUSE_SECONDS = 0.2
"""Before a commit is tried again; a database that restarts needs as long at least."""

Outcome = Task | RequestIdReused
Answer = list[Outcome] | Exception


@dataclass(frozen=True, slots=True)
class _Pending:
    """Tasks that one caller wants recorded, and what the caller waits for."""

    new_tasks: Sequence[NewTask]
    answer: asyncio.Future[list[Outcome]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def resolve(self, answer: Answer) -> None:
        """Answer the caller, unless it has gone."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class Writer:
    """Records submissions, as many in one transaction as there are."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._pending: deque[_Pending] = deque()
        self._refusing = False
        self.loop = Loop("writer", self._step, is_idle=lambda: not self._pending)

    async def submit(self, new: NewTask) -> Task:
        """The task as recorded, or the one that the request id stands for; committed.

        Raises:
            RequestIdReused: the request id stands for other content.
            StoreUnavailable: the database does not answer; whether the task was recorded is not
                known, unless it has a request id by which to ask again.
            ShuttingDown: the server is going.
        """
        [outcome] = await self.submit_all([new])
        if isinstance(outcome, RequestIdReused):
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
        pending = _Pending(new_tasks)
        self._pending.append(pending)
        self.loop.wake()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await pending.answer
        except TimeoutError as exc:
            raise StoreUnavailable(f"the database took longer than {MOST_SECONDS:g} s") from exc

    def refuse(self) -> None:
        """Take no more submissions: the server is going."""
        self._refusing = True

    def _step(self) -> float | None:
        batch = self._take()
        if batch:
            self._answer(list(zip(batch, self._write(batch), strict=True)))
        return 0.0 if self._pending else None

    def _take(self) -> list[_Pending]:
        """The next transaction's work, without what nobody waits for any more."""
        batch: list[_Pending] = []
        tasks = 0
        while self._pending and (
            not batch or tasks + len(self._pending[0].new_tasks) <= MOST_TASKS
        ):
            pending = self._pending.popleft()
            if not pending.answer.cancelled():
                batch.append(pending)
                tasks += len(pending.new_tasks)
        return batch

    # The formal model's step Answer.
    def _answer(self, answers: Sequence[tuple[_Pending, Answer]]) -> None:
        """Wake the event loop once for all callers of a batch."""

        def resolve() -> None:
            for pending, answer in answers:
                pending.resolve(answer)

        _call_soon(answers[0][0].answer.get_loop(), resolve)

    def _write(self, batch: Sequence[_Pending]) -> list[Answer]:
        try:
            return self._commit(batch)
        except StoreUnavailable as exc:
            return [exc for _ in batch]
        except Exception as exc:  # noqa: BLE001 - answered to the waiting callers
            return self._write_apart(batch, exc)

    def _write_apart(self, batch: Sequence[_Pending], error: Exception) -> list[Answer]:
        """One caller's tasks may have spoilt the transaction: the others must not pay for it."""
        if len(batch) < 2:
            return [error for _ in batch]
        logger.warning("writing %d submissions apart: together they failed: %r", len(batch), error)
        return [answer for pending in batch for answer in self._write([pending])]

    def _commit(self, batch: Sequence[_Pending]) -> list[Answer]:
        """Commit, twice if it is not known whether the first time succeeded: that is safe."""
        published = self._dispatcher.accepts_offers()
        try:
            outcomes = self._commit_once(batch, published)
        except StoreUnavailable as exc:
            logger.warning("committing %d submissions again: %s", len(batch), exc)
            time.sleep(PAUSE_SECONDS)
            outcomes = self._commit_once(batch, published)
        if published:
            self._dispatcher.offer(_to_publish(batch, outcomes))
        return list(outcomes)

    def _commit_once(self, batch: Sequence[_Pending], published: bool) -> list[list[Outcome]]:
        with self._database.write() as tx:
            return _record(tx, batch, published)


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # the loop is closed, and with it every call that waited
        logger.warning("nobody waits any more for what was written")


def _record(tx: Connection, batch: Sequence[_Pending], published: bool) -> list[list[Outcome]]:
    new_tasks = [new for pending in batch for new in pending.new_tasks]
    answers = submission.submit(tx, new_tasks, published=published)
    by_id = queries.get_many(tx, {answer for answer in answers if isinstance(answer, str)})
    outcomes = iter(by_id[answer] if isinstance(answer, str) else answer for answer in answers)
    return [[next(outcomes) for _ in pending.new_tasks] for pending in batch]


def _to_publish(batch: Sequence[_Pending], outcomes: Sequence[Sequence[Outcome]]) -> list[Task]:
    return [
        task
        for pending, some in zip(batch, outcomes, strict=True)
        for new, task in zip(pending.new_tasks, some, strict=True)
        if isinstance(task, Task) and task.id == new.id and task.state is State.QUEUED
    ]
