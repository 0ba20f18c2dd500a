"""Writing to the record, for all attempts of one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from celery.utils.log import get_logger
from sqlalchemy import Connection

from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks.logs.kept import LogWriter
from taskgate.tasks.progress import ProgressWriter
from taskgate.tasks.watermarks import Watermarks
from taskgate.tasks.worker import identity

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
"""Seconds between tries while the database does not answer."""

logger = get_logger(__name__)

T = TypeVar("T")


class SuccessSender(Protocol):
    """Takes ends to the worker's main process."""

    def send(self, task_id: str, attempt: int, result: str, began_at: float) -> bool:
        """Whether it was taken. ``began_at``: when its code began, by the monotonic clock."""

    def forked(self) -> None:
        """Call in a forked child."""


class Recorder:
    """Writes to the record for all attempts of one process."""

    def __init__(self, app: Any, database: Database) -> None:
        self.app = app
        self.database = database
        self.progress = ProgressWriter(database)
        self.logs = LogWriter(database)
        self.successes: SuccessSender | None = None
        """To the worker's main process, if that records ends for all who run tasks."""
        self.watermarks = Watermarks()

    def write(self, task_id: str, function: Callable[[Connection], T], *, atomic: bool = True) -> T:
        """Call ``function`` in a transaction. A worker tries until the database answers.

        ``atomic``: False for what is one statement, or several that need not be committed together.

        Raises:
            StoreUnavailable: the database does not answer, and this is no worker.
            ValueRefused: the database cannot hold a value.
        """
        begin = self.database.write if atomic else self.database.autocommit
        return until_answered(begin, function, f"task {task_id} waits to be recorded")


def until_answered(
    begin: Callable[[], AbstractContextManager[Connection]],
    function: Callable[[Connection], T],
    waiting: str,
) -> T:
    """Call ``function`` in a transaction. A worker tries until the database answers.

    ``waiting``: what is logged meanwhile.

    Raises:
        StoreUnavailable: the database does not answer, and this is no worker.
    """
    wait = FIRST_WAIT
    while True:
        try:
            with begin() as tx:
                return function(tx)
        except StoreUnavailable as exc:
            if identity.current() is None:
                raise
            logger.warning("%s: %s", waiting, exc)
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)
