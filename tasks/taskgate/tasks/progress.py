"""Progress reports, written at a bounded rate by a thread, so that a tight loop costs nothing."""

from __future__ import annotations

import threading
import time

from celery.utils.log import get_logger

from taskgate.store import transitions
from taskgate.store.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.transitions import Claim

PERIOD_SECONDS = 0.25
"""How long the latest reports wait for later ones, at most."""

logger = get_logger(__name__)

Reports = dict[tuple[str, int], str]


class ProgressReporter:
    """Writes the latest report of each attempt that runs in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: Reports = {}
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def report(self, claim: Claim, progress: str) -> None:
        """Have ``progress`` (JSON text as in the record) written soon, unless a later one comes."""
        with self._changed:
            self._latest[claim.task_id, claim.attempt] = progress
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="taskgate-progress", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def take(self, claim: Claim) -> str | None:
        """The attempt's last report if it still waits; whoever takes it writes it."""
        # Once nothing is being written, no older report can come after what the taker writes.
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
        try:
            with self._database.write() as tx:
                for (task_id, attempt), progress in reports.items():
                    transitions.report(tx, task_id, attempt, progress)
        except StoreUnavailable as exc:
            names = ", ".join(task_id for task_id, _ in reports)
            logger.warning("progress of %s was not recorded: %s", names, exc)
