"""One attempt, for as long as this process runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from celery.utils.log import get_logger

from taskgate.store import queries
from taskgate.store.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.transitions import Claim

LOOK_SECONDS = 0.25
"""How often a running task asks the database whether it was aborted, at most."""

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """What a failed attempt leaves for the next one."""

    delay: timedelta
    retries: int
    """Celery's count of retries, as it will be then."""
    arguments: str | None = None
    """JSON text; None leaves the arguments as they are."""


@dataclass(slots=True)
class Run:
    """A claimed attempt that is running."""

    claim: Claim
    database: Database
    next_attempt: NextAttempt | None = None
    """Set when the task asked to be retried."""
    must_stop: bool = False
    """The task has seen that it should stop."""
    _next_look: float = field(default=0.0)

    def should_stop(self) -> bool:
        """Whether an abort was asked for, or the attempt was given to another worker.

        Cheap enough for a tight loop. While the database does not answer: no.
        """
        if not self.must_stop and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            self.must_stop = self._look()
        return self.must_stop

    def _look(self) -> bool:
        try:
            with self.database.read() as tx:
                return not queries.may_go_on(tx, self.claim.task_id, self.claim.attempt)
        except StoreUnavailable as exc:
            logger.warning("task %s cannot look for an abort: %s", self.claim.task_id, exc)
            return False


def run_of(request: Any) -> Run | None:
    """The run that a task's request belongs to, if it was claimed in this process."""
    return getattr(request, "taskgate_run", None)


def attach(request: Any, run: Run) -> None:
    """Make ``run`` the one that ``run_of`` finds."""
    request.taskgate_run = run
    request.ignore_result = False  # with it Celery would skip every write, retries included
