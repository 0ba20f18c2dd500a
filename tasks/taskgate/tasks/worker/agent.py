"""The worker agent: looks after a worker's lease and tasks, from a thread of its main process."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.utils.log import get_logger
from celery.worker import state as worker_state

from taskgate.store import queries, transitions, workers
from taskgate.store.lifecycle import Reason, State
from taskgate.store.record import Failure
from taskgate.store.workers import ActiveAttempt
from taskgate.tasks.attempt import max_losses
from taskgate.tasks.backend import RecordBackend
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.worker.counts import Counts
from taskgate.tasks.worker.identity import Identity
from taskgate.tasks.worker.recorder import SuccessRecorder

TICK_SECONDS = 0.5
"""How often the agent looks while tasks are running."""

IDLE_SECONDS = 2.0
"""How often it looks while none is."""

RENEWALS_PER_LEASE = 4

MISSING_SECONDS = 5.0
"""How long the record may say that a task runs here that does not, before it counts as lost."""

FREEZE_SECONDS = 1.0
"""How long a process may take to stop for a look at what it runs."""

SETTLE_SECONDS = 2.0
"""How long to wait for ends that were sent to be recorded."""

LAST_WRITES_SECONDS = 10.0
"""How long a worker that stops waits for its last writes."""

logger = get_logger(__name__)


class Agent:
    """Keeps the lease, ends tasks by force when that is due, and finds tasks that went missing."""

    def __init__(
        self,
        backend: RecordBackend,
        identity: Identity,
        details: Mapping[str, Any],
        lease: timedelta,
        end_process: Callable[[int], None] | None,
        successes: SuccessRecorder | None,
        unstarted: Callable[[], set[str]],
        counts: Counts,
    ) -> None:
        """``end_process`` kills a pool process by its pid; None if the pool has none.

        ``successes``: records ends that pool processes sent; None if they record all themselves.
        ``unstarted``: the tasks that were claimed and have not started. ``counts``: go on record
        with each renewal.
        """
        self._backend = backend
        self._identity = identity
        self._details = details
        self._lease = lease
        self._end_process = end_process
        self._successes = successes
        self._unstarted = unstarted
        self._counts = counts
        # It is touched at each tick, whatever database and broker do.
        self._alive_file: Path | None = backend.app.conf.get("taskgate_worker_alive_file")
        self._missing_since: dict[tuple[str, int], float] = {}
        self._renew_at = 0.0
        self._later: deque[tuple[str, Callable[[], None]]] = deque()
        # Quick to try again: the lease must be renewed as soon as the database is back.
        self._agent = Loop("agent", self._tick, longest_backoff=TICK_SECONDS)
        self._writes = Loop("writes", self._write_later, is_idle=lambda: not self._later)

    def start(self) -> None:
        """Record the worker and begin.

        Raises:
            StoreUnavailable: the database does not answer.
            OSError: the alive file cannot be written.
        """
        self._register(self._identity.worker_id)
        if self._alive_file is not None:
            self._alive_file.touch()
        self._backend.later = self._put_later
        self._agent.start()
        self._writes.start()
        if self._successes is not None:
            self._successes.start()

    def stop(self) -> None:
        """Finish the last writes, give back what a cold shutdown broke off, end the lease.

        A thread cannot be broken off: while one runs on, the agent keeps the lease for it.
        """
        if self._end_process is None and worker_state.active_requests:
            logger.warning("the worker ends when its last tasks have")
            return
        self._agent.stop(LAST_WRITES_SECONDS)
        self._writes.stop(LAST_WRITES_SECONDS)
        if self._successes is not None and not self._successes.stop(LAST_WRITES_SECONDS):
            logger.error("ends of tasks could not be recorded: they run again elsewhere")
            return  # while the lease lasts, they still may
        with self._backend.database.write() as tx:
            for attempt in workers.active_attempts(tx, self._identity.worker_id):
                logger.info("task %s is given back", attempt.task_id)
                transitions.give_back(tx, attempt.task_id, attempt.attempt)
            workers.stop(tx, self._identity.worker_id)
        if self._alive_file is not None:
            self._alive_file.unlink(missing_ok=True)

    def _register(self, worker_id: str) -> None:
        with self._backend.database.autocommit() as tx:
            workers.start(tx, worker_id, self._details, self._lease)
        self._renew_at = self._next_renewal()

    def _next_renewal(self) -> float:
        return time.monotonic() + self._lease.total_seconds() / RENEWALS_PER_LEASE

    # The loop that looks after lease and tasks.

    def _tick(self) -> float:
        self._show_alive()
        if time.monotonic() >= self._renew_at:
            self._renew()
        with self._backend.database.read() as tx:
            recorded = workers.active_attempts(tx, self._identity.worker_id)
        self._lose_missing(recorded)
        for attempt in recorded:
            if attempt.force_is_due:
                self._end_by_force(attempt)
        return self._pause()

    def _show_alive(self) -> None:
        if self._alive_file is None:
            return
        try:
            self._alive_file.touch()
        except OSError as exc:  # the lease matters more
            logger.warning("%s does not show that this worker lives: %s", self._alive_file, exc)

    def _pause(self) -> float:
        if worker_state.active_requests:
            return TICK_SECONDS
        return min(IDLE_SECONDS, max(self._renew_at - time.monotonic(), TICK_SECONDS / 10))

    def _renew(self) -> None:
        with self._backend.database.autocommit() as tx:
            renewed = workers.renew(
                tx, self._identity.worker_id, self._lease, self._counts.as_mapping()
            )
        self._renew_at = self._next_renewal()
        if not renewed:
            given_up = self._identity.worker_id
            self._identity.replace(self._register)
            logger.warning("the lease of %s was ended: now %s", given_up, self._identity.worker_id)

    def _lose_missing(self, recorded: list[ActiveAttempt]) -> None:
        """Give back what the record says runs here and does not: its process died unnoticed."""
        running = set(worker_state.requests) | self._unstarted()
        now = time.monotonic()
        missing = {
            (attempt.task_id, attempt.attempt)
            for attempt in recorded
            if attempt.task_id not in running
        }
        self._missing_since = {key: self._missing_since.get(key, now) for key in missing}
        lost = [key for key, since in self._missing_since.items() if now - since > MISSING_SECONDS]
        if lost and self._is_settled():
            for task_id, attempt in lost:
                self._lose(task_id, attempt)

    def _is_settled(self, seconds: float = SETTLE_SECONDS) -> bool:
        """Whether every end that was sent so far is on record."""
        return self._successes is None or self._successes.settle(seconds)

    # The formal model's step RecordLoss.
    def _lose(self, task_id: str, attempt: int) -> None:
        failure = Failure(Reason.WORKER_LOST, "the worker lost sight of the task")
        with self._backend.database.write() as tx:
            most = max_losses(self._backend.app, queries.get(tx, task_id).task_type)
            if transitions.lose(tx, task_id, attempt, failure, max_losses=most):
                logger.error("task %s was recorded as running here, and was not", task_id)

    def _end_by_force(self, attempt: ActiveAttempt) -> None:
        request = worker_state.requests.get(attempt.task_id)
        if self._end_process is None or request is None or not request.worker_pid:
            logger.warning("task %s cannot be ended by force here", attempt.task_id)
            return
        with _frozen(request.worker_pid) as is_frozen:
            # Frozen, it can begin no other task between our look and its end.
            if not is_frozen or not self._is_settled(FREEZE_SECONDS):
                return
            if not self._still_runs(attempt):
                return
            logger.warning(
                "task %s did not stop when aborted: ending process %d",
                attempt.task_id,
                request.worker_pid,
            )
            self._end_process(request.worker_pid)

    def _still_runs(self, attempt: ActiveAttempt) -> bool:
        """Whether the process has not recorded an end: until then it takes no other task."""
        with self._backend.database.read() as tx:
            found = queries.get_many(tx, [attempt.task_id]).get(attempt.task_id)
        return found is not None and (found.state, found.attempt) == (
            State.ABORTING,
            attempt.attempt,
        )

    # The loop that writes what the main process must not wait for.

    def _put_later(self, task_id: str, action: Callable[[], None]) -> None:
        self._later.append((task_id, action))
        self._writes.wake()

    def _write_later(self) -> float | None:
        while self._later:
            # What a process sent before it died was before its death.
            if not self._is_settled():
                return TICK_SECONDS
            task_id, action = self._later.popleft()
            try:
                action()
            except Exception:
                logger.exception("task %s: what its end leads to went wrong", task_id)
        return None


@contextmanager
def _frozen(pid: int) -> Iterator[bool]:
    """Stop a child process for a moment; False if it has ended, or does not stop."""
    try:
        os.kill(pid, signal.SIGSTOP)
        yield _has_stopped(pid)
    except ProcessLookupError:
        yield False
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _has_stopped(pid: int) -> bool:
    deadline = time.monotonic() + FREEZE_SECONDS
    options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT  # its end is the pool's to learn
    while time.monotonic() < deadline:
        try:
            if os.waitid(os.P_PID, pid, options) is not None:
                return True
        except ChildProcessError:
            return False
        time.sleep(0.001)
    return False


def process_ender(pool: Any) -> Callable[[int], None] | None:
    """How to kill a process of the pool; None if it has no processes to kill."""
    if not hasattr(getattr(pool, "_pool", None), "terminate_job"):
        return None
    return lambda pid: pool.terminate_job(pid, signal.SIGKILL)
