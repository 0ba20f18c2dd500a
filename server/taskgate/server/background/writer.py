"""Group commit: whoever submits while a commit runs shares the next one. There is no timer.

One thread writes all submissions of this server. What was published in the meantime leaves the
outbox in the same transaction.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from sqlalchemy import Connection

from taskgate.server.errors import ShuttingDown
from taskgate.store import outbox, queries, submission
from taskgate.store.engine import Database
from taskgate.store.errors import RequestIdReused, StoreUnavailable
from taskgate.store.lifecycle import State
from taskgate.store.outbox import Publication
from taskgate.store.record import NewTask, Task

logger = logging.getLogger(__name__)

MOST_TASKS = 500
"""In one transaction: larger ones are no faster, and all wait for the last of them."""

MOST_SECONDS = 30.0
"""A database that froze keeps the writer; the callers are answered."""

PAUSE_SECONDS = 0.2
"""Before a commit is tried again; a database that restarts needs as long at least."""

Outcome = Task | RequestIdReused


@dataclass(frozen=True, slots=True)
class _Pending:
    """Tasks that one caller wants recorded, and what the caller waits for."""

    new_tasks: Sequence[NewTask]
    answer: Future[list[Outcome]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What became of one caller's tasks."""

    outcomes: list[Outcome]
    publications: list[Publication]


class Writer:
    """Records submissions, as many in one transaction as there are."""

    def __init__(
        self, database: Database, recorded: Callable[[Sequence[Publication]], None]
    ) -> None:
        """``recorded``: called after each commit with what is to be published; must be quick."""
        self._database = database
        self._recorded = recorded
        self._pending: deque[_Pending] = deque()
        self._published: list[Publication] = []
        self._refusing = False
        self._closing = False
        self._is_writing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="taskgate-writer", daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

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
        pending = _Pending(new_tasks)
        with self._changed:
            if self._refusing:
                raise ShuttingDown
            self._pending.append(pending)
            self._changed.notify_all()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await asyncio.wrap_future(pending.answer)
        except TimeoutError as exc:
            raise StoreUnavailable(f"the database took longer than {MOST_SECONDS:g} s") from exc

    def forget(self, published: Sequence[Publication]) -> None:
        """Take what was published out of the outbox, with the next commit."""
        with self._changed:
            self._published.extend(published)
            self._changed.notify_all()

    def finish(self, seconds: float) -> None:
        """Take no more submissions, and wait until all that came are written."""
        with self._changed:
            self._refusing = True
            self._changed.wait_for(lambda: not (self._pending or self._is_writing), seconds)

    def close(self, seconds: float) -> None:
        """Write what is left, then end; give up after so many seconds."""
        with self._changed:
            self._refusing = self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._pending or self._published or self._closing)
                batch, published = self._take()
                self._is_writing = True
            if batch or published:
                self._write(batch, published)
            elif self._closing:
                return

    def _take(self) -> tuple[list[_Pending], list[Publication]]:
        """The next transaction's work, without what nobody waits for any more."""
        batch: list[_Pending] = []
        tasks = 0
        while self._pending and (
            not batch or tasks + len(self._pending[0].new_tasks) <= MOST_TASKS
        ):
            pending = self._pending.popleft()
            if pending.answer.set_running_or_notify_cancel():
                batch.append(pending)
                tasks += len(pending.new_tasks)
        published, self._published = self._published, []
        return batch, published

    def _write(self, batch: list[_Pending], published: list[Publication]) -> None:
        try:
            outcomes = self._commit(batch, published)
        except StoreUnavailable as exc:
            _refuse(batch, published, exc)
        except Exception as exc:  # noqa: BLE001 - told to the waiting callers
            self._write_apart(batch, published, exc)
        else:
            self._recorded([p for one in outcomes for p in one.publications])
            for pending, one in zip(batch, outcomes, strict=True):
                pending.answer.set_result(one.outcomes)

    def _commit(self, batch: list[_Pending], published: list[Publication]) -> list[_Recorded]:
        """Commit, twice if it is not known whether the first time succeeded: that is safe."""
        try:
            return self._commit_once(batch, published)
        except StoreUnavailable as exc:
            logger.warning("committing %d submissions again: %s", len(batch), exc)
            time.sleep(PAUSE_SECONDS)
            return self._commit_once(batch, published)

    def _commit_once(self, batch: list[_Pending], published: list[Publication]) -> list[_Recorded]:
        with self._database.write() as tx:
            outbox.forget(tx, published)
            return _record(tx, batch)

    def _write_apart(
        self, batch: list[_Pending], published: list[Publication], error: Exception
    ) -> None:
        """One caller's tasks may have spoilt the transaction: the others must not pay for it."""
        if len(batch) < 2:
            _refuse(batch, published, error)
            return
        logger.warning("writing %d submissions apart: together they failed: %r", len(batch), error)
        for pending in batch:
            self._write([pending], [])


def _record(tx: Connection, batch: Sequence[_Pending]) -> list[_Recorded]:
    new_tasks = [new for pending in batch for new in pending.new_tasks]
    answers = submission.submit(tx, new_tasks)
    by_id = queries.get_many(tx, {answer for answer in answers if isinstance(answer, str)})
    outcomes: dict[str, Outcome] = {
        new.id: by_id[answer] if isinstance(answer, str) else answer
        for new, answer in zip(new_tasks, answers, strict=True)
    }
    return [_recorded([(new, outcomes[new.id]) for new in p.new_tasks]) for p in batch]


def _recorded(outcomes: list[tuple[NewTask, Outcome]]) -> _Recorded:
    publications = [
        Publication(task, tries=1)
        for new, task in outcomes
        if isinstance(task, Task) and task.id == new.id and task.state is State.QUEUED
    ]
    return _Recorded([outcome for _, outcome in outcomes], publications)


def _refuse(batch: Sequence[_Pending], published: Sequence[Publication], error: Exception) -> None:
    if published:
        # Nothing is lost: they come due again, and the claim drops what arrives twice.
        logger.warning("%d published messages stay in the outbox: %s", len(published), error)
    for pending in batch:
        pending.answer.set_exception(error)
