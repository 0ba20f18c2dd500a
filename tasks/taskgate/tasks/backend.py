"""The result backend that is the record: ``taskgate+<database URL>``.

What it reads is in ``reading.py``, the writes by Celery's states in ``finishing.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from celery import states
from celery.exceptions import TaskRevokedError
from celery.utils.log import get_logger
from sqlalchemy import Connection

from taskgate.store import transitions
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks import chords, finishing
from taskgate.tasks.finishing import Ending
from taskgate.tasks.progress import ProgressReporter
from taskgate.tasks.reading import RecordReader
from taskgate.tasks.run import Run, run_of
from taskgate.tasks.worker import identity

FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0
"""Seconds between tries while the database does not answer."""

logger = get_logger(__name__)

T = TypeVar("T")

Later = Callable[[str, Callable[[], None]], None]
"""Takes a task's id and what is to be done about it soon, in another thread."""


class RecordBackend(RecordReader):
    """Reads and writes the record in Celery's words."""

    _call_task_errbacks: Any
    _fail_chain: Any

    def __init__(self, app: Any, url: str | None = None, **options: Any) -> None:
        super().__init__(app, url, **options)
        self.progress = ProgressReporter(self.database)
        self.later: Later | None = None
        """Set in a worker's main process, whose event loop must not wait for a database."""

    def after_fork(self) -> None:
        """Call in a forked child, before anything else of the backend."""
        self.database.forget_connections()
        self.progress = ProgressReporter(self.database)
        self.later = None

    def persistently(self, task_id: str, write: Callable[[Connection], T]) -> T:
        """Write in one transaction. A worker tries until the database answers.

        Raises:
            StoreUnavailable: the database does not answer, and this is no worker.
        """
        wait = FIRST_WAIT
        while True:
            try:
                with self.database.write() as tx:
                    return write(tx)
            except StoreUnavailable as exc:
                if identity.current() is None:
                    raise
                logger.warning("task %s waits to be recorded: %s", task_id, exc)
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    # What Celery writes.

    def store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: str | None = None,
        request: Any = None,
        **_: Any,
    ) -> Any:
        """Record what Celery says about a task; who lost the right to say it changes nothing.

        Raises:
            ResultNotSerializable: the result of a success cannot be written as JSON.
        """
        run = run_of(request)
        if run is not None and finishing.is_progress(state):
            self.progress.report(run.claim, finishing.progress_json(state, result))
            return result
        result = self.prepare_value(result)
        write = finishing.writer(self.app, task_id, result, state, traceback, request)
        if write is not None:
            self._now_or_later(task_id, request, lambda: self._store(run, task_id, write))
        return result

    def _store(self, run: Run | None, task_id: str, write: finishing.Write) -> None:
        self._with_last_report(run, task_id, write)

    def _with_last_report(
        self, run: Run | None, task_id: str, write: Callable[[Connection], T]
    ) -> T:
        """Write the end of a run, and before it what the run reported last."""
        report = None if run is None else self.progress.take(run.claim)
        if run is None or report is None:
            return self.persistently(task_id, write)
        task_id, attempt = run.claim.task_id, run.claim.attempt

        def write_both(tx: Connection) -> T:
            transitions.report(tx, task_id, attempt, report)
            return write(tx)

        return self.persistently(task_id, write_both)

    def _now_or_later(self, task_id: str, request: Any, action: Callable[[], None]) -> None:
        if self.later is None or run_of(request) is not None:
            action()
        else:
            self.later(task_id, action)

    def mark_as_done(
        self,
        task_id: str,
        result: Any,
        request: Any = None,
        store_result: bool = True,
        state: str = states.SUCCESS,
    ) -> None:
        """Record a success, ignore_result or not; an eager call's only if Celery would."""
        if store_result or not getattr(request, "is_eager", False):
            self.store_result(task_id, result, state, request=request)
        if request is not None and request.chord:
            self.on_chord_part_return(request, state, result)

    def mark_as_failure(
        self,
        task_id: str,
        exc: Any,
        traceback: str | None = None,
        request: Any = None,
        store_result: bool = True,
        call_errbacks: bool = True,
        state: str = states.FAILURE,
    ) -> None:
        """Record a failure and tell who depends on the task, unless it is run again."""
        if getattr(request, "is_eager", False) and not store_result:
            self._after_failure(request, exc, traceback, state, call_errbacks)
            return
        write = finishing.failure_writer(self.app, task_id, exc, traceback, request)

        def fail() -> None:
            ending = self._with_last_report(run_of(request), task_id, write)
            if ending is Ending.FAILED:
                self._after_failure(request, exc, traceback, state, call_errbacks)
            elif ending is Ending.ABORTED:
                self._after_abort(request)

        self._now_or_later(task_id, request, fail)

    def _after_failure(
        self, request: Any, exc: Any, traceback: str | None, state: str, call_errbacks: bool
    ) -> None:
        if request is None:
            return
        if request.chord:
            self.on_chord_part_return(request, state, exc)
        self._fail_chain(getattr(request, "chain", None), exc, traceback, state=state)
        if call_errbacks and request.errbacks:
            self._call_task_errbacks(request, exc, traceback)

    def _after_abort(self, request: Any) -> None:
        """What follows an aborted task never runs."""
        self._after_failure(request, TaskRevokedError("aborted"), None, states.FAILURE, False)

    def mark_as_retry(
        self,
        task_id: str,
        exc: Any,
        traceback: str | None = None,
        request: Any = None,
        store_result: bool = True,
        state: str = states.RETRY,
    ) -> None:
        """Record that the attempt failed and when the next is due; a cold shutdown gives back."""
        del store_result, state
        write = finishing.retry_writer(self.app, task_id, exc, traceback, request)

        def retry() -> None:
            if self.persistently(task_id, write) is Ending.ABORTED:
                self._after_abort(request)

        self._now_or_later(task_id, request, retry)

    def mark_as_revoked(
        self,
        task_id: str,
        reason: str = "",
        request: Any = None,
        store_result: bool = True,
        state: str = states.REVOKED,
    ) -> None:
        """Record that the worker ended a task by force, or dropped it unstarted."""
        del store_result, state
        write = finishing.revoke_writer(self.app, task_id, reason, request)

        def revoke() -> None:
            self.persistently(task_id, write)
            self._after_abort(request)

        self._now_or_later(task_id, request, revoke)

    def mark_as_aborted(self, run: Run, request: Any) -> None:
        """Record that a task stopped because it was asked to."""
        write = finishing.abort_writer(run)
        if self._with_last_report(run, run.claim.task_id, write):
            self._after_abort(request)

    def mark_as_ignored(self, run: Run, request: Any) -> None:
        """Record the end of a task that raised Ignore, unless it recorded another one before."""
        self._with_last_report(run, run.claim.task_id, finishing.ignore_writer(run))
        if request.chord:
            self.on_chord_part_return(request, states.SUCCESS, None)

    def mark_as_rejected(self, run: Run, reject: Any, request: Any) -> None:
        """Record that a task rejected its message: it failed, or it asked to be run again."""
        if reject.requeue:
            self.persistently(run.claim.task_id, finishing.give_back_writer(run))
        else:
            self.mark_as_failure(run.claim.task_id, reject, request=request)

    # Chords.

    def apply_chord(self, header_result_args: Any, body: Any, **options: Any) -> None:
        """Remember the chord; see ``chords.py``."""
        del options  # how often to look, and how long
        header = self.app.GroupResult(*header_result_args)
        queue = body.options.get("queue") or self.app.conf.task_default_queue
        with self.database.write() as tx:
            chords.save(tx, header, body, getattr(queue, "name", queue))

    def on_chord_part_return(self, request: Any, state: str, result: Any, **_: Any) -> None:
        """Start the chord's body if this was its last part."""
        del state, result
        self.persistently(request.id, lambda tx: chords.unlock(tx, request.group))

    def unlock_chords(self) -> None:
        """Start the bodies whose last part ended elsewhere: aborted, expired or given up."""
        with self.database.read() as tx:
            waiting = chords.waiting(tx)
        for group_id in waiting:
            with self.database.write() as tx:
                chords.unlock(tx, group_id)
