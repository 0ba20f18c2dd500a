"""Progress that tasks report: the latest of each is written a few times a second."""

from __future__ import annotations

import threading
import time
from typing import Any

from celery.utils.log import get_logger

from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.transitions import Claim
from taskgate.tasks.failures import MAX_MESSAGE, cut

PERIOD_SECONDS = 0.25
"""How long the latest progress waits for later progress, at most."""

logger = get_logger(__name__)

Reports = dict[tuple[str, int], str]


class ProgressWriter:
    """Writes the latest progress of each attempt of this process a few times a second.

    In a thread, so that a tight loop may report as often as it likes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: Reports = {}
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, claim: Claim, progress: str) -> None:
        """Have ``progress`` (JSON text as in the record) written soon, unless more comes."""
        with self._changed:
            self._latest[claim.task_id, claim.attempt] = progress
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._work, name="taskgate-progress", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def take(self, claim: Claim) -> str | None:
        """The attempt's latest progress if it still waits; whoever takes it writes it."""
        # Once nothing is being written, nothing older can come after what the taker writes.
        with self._writing, self._changed:
            return self._latest.pop((claim.task_id, claim.attempt), None)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._latest)
            with self._writing:
                with self._changed:
                    reports, self._latest = self._latest, {}
                self._write(reports)
            time.sleep(PERIOD_SECONDS)

    def _write(self, reports: Reports) -> None:
        if not reports:
            return
        names = ", ".join(task_id for task_id, _ in reports)
        try:
            with self._database.write() as tx:
                for (task_id, attempt), progress in reports.items():
                    transitions.report(tx, task_id, attempt, progress)
        except StoreUnavailable as exc:
            logger.warning("progress of %s was not recorded: %s", names, exc)
        except Exception:
            # This thread serves every attempt of the process: it must outlive one bad report.
            logger.exception("progress of %s was not recorded", names)


def cut_texts(meta: Any) -> Any:
    """Progress with its long texts cut: it is written often, and shown in lists."""
    match meta:
        case str():
            return cut(meta, MAX_MESSAGE)
        case dict():
            return {key: cut_texts(value) for key, value in meta.items()}
        case list() | tuple():
            return [cut_texts(value) for value in meta]
    return meta
