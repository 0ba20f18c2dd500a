"""One attempt of a task, and all that can be recorded of it.

Whoever claimed the attempt speaks for it; the word of everyone else changes nothing.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore, NotRegistered, Retry
from celery.utils.log import get_logger
from sqlalchemy import Connection

from taskgate.store import outbox, pauses, queries, submission, transitions, workers
from taskgate.store.errors import StoreUnavailable, TaskAlreadyFinal, ValueRefused
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.record import Failure, Task
from taskgate.store.submission import FIRST_ATTEMPT
from taskgate.store.transitions import Claim
from taskgate.tasks import messages, replacing
from taskgate.tasks.failures import failure_of, wait_by_policy
from taskgate.tasks.logs.kept import TaskLog
from taskgate.tasks.progress import cut_texts
from taskgate.tasks.recording import Recorder
from taskgate.tasks.sending import Unsent
from taskgate.tasks.serializing import ResultNotSerializable, to_json, with_any_float
from taskgate.tasks.worker import identity

LEASE_SECONDS = 0.5
"""How long to wait for the agent to get a lease, in place of one that was ended."""

LOOK_SECONDS = 0.25
"""How often a running task asks the database whether it was aborted, at most."""

logger = get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


def _in_transaction(
    method: Callable[Concatenate[Attempt, Connection, P], T],
) -> Callable[Concatenate[Attempt, P], T]:
    """Give the method a transaction; it is called again for as long as it takes to commit one."""

    @functools.wraps(method)
    def call(self: Attempt, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.recorder.write(self.task_id, lambda tx: method(self, tx, *args, **kwargs))

    return call


def _ending(
    method: Callable[Concatenate[Attempt, Connection, P], State | None],
) -> Callable[Concatenate[Attempt, P], State | None]:
    """As ``_in_transaction``, for what ends the attempt; it fails if that cannot be recorded."""

    @functools.wraps(method)
    def call(self: Attempt, /, *args: P.args, **kwargs: P.kwargs) -> State | None:
        self.end()
        calls = 0

        def once(tx: Connection) -> State | None:
            nonlocal calls
            calls += 1
            return method(self, tx, *args, **kwargs)

        try:
            ended = self.recorder.write(self.task_id, once)
        except ValueRefused as exc:
            return self._fail_unrecordable(exc)
        return self._recorded_end() if ended is None and calls > 1 else ended

    return call


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """What a failed attempt leaves for the next one."""

    delay: timedelta
    retries: int
    """Celery's count of retries, as it will be then."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The record's columns that change for it."""
    message: Mapping[str, Any] = field(default_factory=dict)
    """What its message carries instead, by the names in ``Task.message``."""


class Attempt:
    """One attempt of a task."""

    def __init__(
        self, recorder: Recorder, task_id: str, request: Any = None, claimed: Claim | None = None
    ) -> None:
        """``request``: Celery's, of the attempt's message; None if there is only an id.

        ``claimed``: the claim, for an attempt that was claimed elsewhere and runs here.
        """
        self.recorder = recorder
        self.task_id = task_id
        self.request = request
        self.claimed = claimed
        self.next_attempt: NextAttempt | None = None
        """Set when the task asked to be retried."""
        self.must_stop = False
        """The task has seen that it should stop."""
        self.is_running = False
        """The task's function was called."""
        self.has_ended = False
        """How it ended was recorded."""
        self._began_at = time.monotonic()
        self._uncertain: Claim | None = None
        self._taken_over: int | None = None
        self._next_look = 0.0
        self._last_progress: str | None = None
        self.log: TaskLog | None = None
        """What it logged, if it did."""

    # Its beginning.

    def claim(self) -> Claim:
        """Win the right to run the attempt; waits while the database does not answer.

        Raises:
            Ignore: it is not ours to run: claimed already, aborted, expired, finished, replaced or
                paused.
        """
        while self.claimed is None:
            try:
                self.claimed, found, is_held = self._try_to_claim()
            except ValueRefused as exc:
                self._fail_unrecordable(exc)
                raise Ignore(str(exc)) from exc
            if self.claimed is None:
                if is_held or not self._could_be_claimed(found):
                    reason = PAUSED if is_held else why_not(self._given_number(), found)
                    # Who uses an id again should know; duplicates of ours are nothing to tell of.
                    is_ours = messages.is_from_taskgate(self.request)
                    level = logging.INFO if is_ours or is_held else logging.WARNING
                    logger.log(level, "task %s does not run here: %s", self.task_id, reason)
                    raise Ignore(reason)
                # Ours, but for the lease: it was ended while we were cut off.
                time.sleep(LEASE_SECONDS)
        return self.claimed

    @_in_transaction
    def _try_to_claim(self, tx: Connection) -> tuple[Claim | None, Task | None, bool]:
        """The claim if it is won; else the task, if there is one, and whether a pause holds it."""
        self._adopt(tx)
        won = transitions.claim(tx, self.task_id, self._number(tx), self._worker())
        if won is not None:
            self.recorder.watermarks.advance(tx, [won])
            self._uncertain = won
            return won, None, False
        found = queries.get_many(tx, [self.task_id]).get(self.task_id)
        if self._is_mine(found):
            return self._uncertain, found, False
        attempt = (self.task_id, self._given_number())
        held = self._could_be_claimed(found) and pauses.hold_claimed(tx, [attempt])
        return None, found, bool(held)

    # The formal model's step RecogniseClaim.
    def _is_mine(self, found: Task | None) -> bool:
        """Whether an earlier claim was committed after all, though the database did not say so."""
        mine = self._uncertain
        return (
            mine is not None
            and found is not None
            and found.state in ACTIVE
            and (found.attempt, found.started_at) == (mine.attempt, mine.started_at)
        )

    def _could_be_claimed(self, found: Task | None) -> bool:
        number = self._given_number()
        return found is not None and found.state is State.QUEUED and found.attempt == number

    def _adopt(self, tx: Connection, *, fitted: bool = False) -> bool:
        """Record, as QUEUED, a task that another producer published; False if it is on record.

        ``fitted``: with its names and numbers cut to what a database can hold.
        """
        if messages.is_from_taskgate(self.request):
            return False
        values = messages.columns_of(self.recorder.app, self.task_id, self.request)
        if fitted:
            values = messages.fitted(values)
        return submission.adopt(tx, values) or self._take_over(tx, values)

    def _take_over(self, tx: Connection, values: Mapping[str, Any]) -> bool:
        """Go on with the record of the id, if that is for this message; True if it is a new one."""
        taken = replacing.take_over(tx, self.request, values)
        if taken is not None:
            self._taken_over = taken.attempt
        return taken is not None and taken.is_new

    def _begin(self, tx: Connection) -> bool:
        """Claim an attempt that runs without our base class, when it is first heard of."""
        is_new = self._adopt(tx)
        if self.request is None and not is_new and not replacing.is_awaited(tx, self.task_id):
            return False  # somebody else's task, which a worker has yet to claim
        if self._has_begun(tx):
            return True
        number, worker = self._number(tx), self._worker()
        return transitions.claim(tx, self.task_id, number, worker, runs_already=True) is not None

    def _has_begun(self, tx: Connection) -> bool:
        """Whether it is the task's own retry, of which something was heard before.

        Such a message knows no attempt, or that of the message before. Workers with a lease claim
        what they run, and are fenced by its number.
        """
        if self.request is None or workers.find(tx, self._worker()) is not None:
            return False
        found = queries.get_many(tx, [self.task_id]).get(self.task_id)
        if found is None or found.retries != getattr(self.request, "retries", None):
            return False
        if found.state is State.RETRYING:
            transitions.resume(tx, self.task_id, found.attempt)
        self._taken_over = found.attempt
        return found.state in ACTIVE and found.worker == self._worker()

    @_in_transaction
    def begin(self, tx: Connection) -> None:
        """The attempt has started, in a worker that knows no claims."""
        self._begin(tx)

    def _worker(self) -> str:
        return identity.worker_id(getattr(self.request, "hostname", None))

    def _number(self, tx: Connection) -> int:
        """The number of the attempt; whoever has only an id means the current one."""
        if self.claimed is not None:
            return self.claimed.attempt
        if self.request is not None:
            return self._given_number()
        found = queries.get_many(tx, [self.task_id]).get(self.task_id)
        return FIRST_ATTEMPT if found is None else found.attempt

    def _given_number(self) -> int:
        """The attempt that the message stands for."""
        return self._taken_over or messages.attempt_of(self.request)

    # While it runs.

    def report(self, state: str, meta: Any) -> None:
        """Say how far the task is, in a word of its own; the latest report is written soon."""
        progress = to_json(with_any_float({"state": state, "meta": cut_texts(meta)}))
        if self.claimed is not None:
            self.recorder.progress.put(self.claimed, progress)
        else:
            self._report_now(progress)

    @_in_transaction
    def _report_now(self, tx: Connection, progress: str) -> None:
        number = self._number(tx)
        if not transitions.report(tx, self.task_id, number, progress) and self.request is not None:
            self._end(tx, transitions.report, progress)

    def is_aborted(self) -> bool:
        """Whether an abort was asked for, or the attempt was given to another worker.

        Cheap enough for a tight loop. While the database does not answer: no.
        """
        if not self.must_stop and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            self.must_stop = self._look()
        return self.must_stop

    def _look(self) -> bool:
        if self.claimed is None:
            return False
        try:
            with self.recorder.database.read() as tx:
                return not queries.may_go_on(tx, self.task_id, self.claimed.attempt)
        except StoreUnavailable as exc:
            logger.warning("task %s cannot look for an abort: %s", self.task_id, exc)
            return False

    @_in_transaction
    def abort(self, tx: Connection, reason: str = "") -> None:
        """Ask the task to stop; one that has not started never does."""
        self._request_abort(tx, reason)

    def _request_abort(self, tx: Connection, reason: str) -> None:
        self._adopt(tx)
        try:
            transitions.request_abort(tx, self.task_id, by="", reason=reason)
        except TaskAlreadyFinal as exc:
            logger.info("nothing to abort: %s", exc)

    # Its end. Each says which state the task is in by it; None if it is by another's word.

    # The formal model's step Return.
    def end(self) -> None:
        """Report no more; what was reported last is written with the end.

        Before the transaction of the end: on SQLite that one would keep the thread that writes
        reports waiting, and wait for it.
        """
        self.has_ended = True
        self.write_log()
        if self.claimed is not None:
            self._last_progress = self.recorder.progress.take(self.claimed) or self._last_progress

    def write_log(self) -> None:
        """Write what it has logged and that has not been written."""
        if self.log is not None and self.log.has_news:
            self.recorder.logs.write(self.log)

    # The formal model's step HandEnd.
    def hand_over_success(self, result: str) -> bool:
        """Have the worker's main process record that the task returned ``result`` (JSON text).

        False if it cannot: the end is to be recorded here.
        """
        sender = self.recorder.successes
        if sender is None or self.claimed is None:
            return False
        self.end()
        if self._last_progress is not None:
            return False  # it is written with the end
        return sender.send(self.task_id, self.claimed.attempt, result, self._began_at)

    # The formal model's step RecordOwnEnd.
    def succeed(self, result: str, children: list[Any]) -> State | None:
        """The task returned ``result`` (JSON text) and has started ``children``."""
        self.end()
        # Whoever sees the end sees the children; without our base it is claimed first.
        atomic = bool(children) or self.claimed is None
        try:
            return self.recorder.write(
                self.task_id, lambda tx: self._succeed(tx, result, children), atomic=atomic
            )
        except ValueRefused as exc:
            return self._fail_unrecordable(ResultNotSerializable(str(exc)))

    def _succeed(self, tx: Connection, result: str, children: list[Any]) -> State | None:
        ran_seconds = None if self.claimed is None else time.monotonic() - self._began_at
        if not self._end(tx, transitions.succeed, result, ran_seconds):
            return None
        self._carry_children(tx, children)
        return State.SUCCEEDED

    def _carry_children(self, tx: Connection, children: Sequence[Any]) -> None:
        messages.carry(tx, self.task_id, {"children": children} if children else {})

    # The formal model's step RecordOwnEnd.
    @_ending
    def fail(
        self,
        tx: Connection,
        error: Any,
        traceback: str | None = None,
        children: Sequence[Any] = (),
    ) -> State | None:
        """The task raised, or its worker says why it ended; a retry policy may have it go on.

        ``children``: the results of the tasks that it has started, as in ``succeed``.
        """
        failure = failure_of(error, traceback)
        match error:
            case WorkerLostError():
                return self._lose(tx, failure)
            case NotRegistered():
                self._adopt(tx)
                number = self._number(tx)
                return self._now(tx, transitions.refuse(tx, self.task_id, number, failure))
        planned = self._next_by_policy(tx, error)
        if planned is not None:
            return self._back_off(tx, failure, planned)
        if not self._end(tx, transitions.fail, failure):
            return None
        self._carry_children(tx, children)
        return State.FAILED

    # The formal model's step RecordLoss.
    def _lose(self, tx: Connection, failure: Failure) -> State | None:
        most = max_losses(self.recorder.app, getattr(self.request, "task", None))
        number = self._number(tx)
        if transitions.lose(tx, self.task_id, number, failure, max_losses=most):
            return self._now(tx, won=True)
        # Not claimed yet: its message is gone with the process.
        self._adopt(tx)
        found = queries.get_many(tx, [self.task_id]).get(self.task_id)
        if self._could_be_claimed(found):
            outbox.put(tx, self.task_id, number, timedelta(0))
        return None

    def _next_by_policy(self, tx: Connection, error: Any) -> NextAttempt | None:
        """The next attempt, if the submission's retry policy wants one."""
        if self.claimed is not None and self.claimed.retry_policy is None:
            return None
        if self.claimed is None and not isinstance(error, TimeLimitExceeded):
            return None
        found = queries.get_many(tx, [self.task_id]).get(self.task_id)
        if found is None or found.state is not State.RUNNING or found.attempt != self._number(tx):
            return None
        task_type = self.recorder.app.tasks.get(found.task_type)
        wait = wait_by_policy(found, error, getattr(task_type, "max_retries", None))
        return None if wait is None else NextAttempt(wait, found.retries + 1)

    # The formal model's step RecordOwnEnd.
    @_ending
    def retry(self, tx: Connection, error: Any, traceback: str | None = None) -> State | None:
        """The task asked for another attempt; in a worker that is being stopped: for it at once."""
        failure = failure_of(error if error is not None else Retry("retry"), traceback)
        if self.claimed is not None:
            planned = self.next_attempt or self._default_retry(self.claimed)
            return self._back_off(tx, failure, planned)
        if isinstance(error, WorkerLostError):
            return self._lose(tx, failure)
        if isinstance(error, Retry) or self.request is None:
            won = transitions.give_back(tx, self.task_id, self._number(tx))
            return self._now(tx, won)
        return self._await_next(tx, failure)

    def _await_next(self, tx: Connection, failure: Failure) -> State | None:
        """A task that runs without our base class has sent its next attempt itself."""
        retries = self.request.retries + 1
        back_off = functools.partial(transitions.back_off, delay=None, retries=retries)
        return self._now(tx, self._end(tx, back_off, failure))

    def _back_off(self, tx: Connection, failure: Failure, planned: NextAttempt) -> State | None:
        won = transitions.back_off(
            tx,
            self.task_id,
            self._number(tx),
            failure,
            delay=planned.delay,
            retries=planned.retries,
            columns=planned.columns,
        )
        messages.carry(tx, self.task_id, planned.message)
        return self._now(tx, won)

    def _default_retry(self, claimed: Claim) -> NextAttempt:
        """For a task that raised Celery's Retry without having called ``retry()``."""
        task_type = self.recorder.app.tasks[self.request.task]
        return NextAttempt(timedelta(seconds=task_type.default_retry_delay), claimed.retries + 1)

    # The formal model's step RecordOwnEnd.
    @_ending
    def replace(self, tx: Connection, unsent: Sequence[Unsent]) -> State | None:
        """The task goes on as another; ``unsent`` is what starts it, if other tasks do."""
        if not replacing.hand_over(tx, self.task_id, self._number(tx), unsent):
            return State.ABORTED if self._end_quietly(tx, transitions.stop) else None
        return self._now(tx, won=True)

    @_ending
    def stop(
        self, tx: Connection, reason: str | None = None, children: Sequence[Any] = ()
    ) -> State | None:
        """The task stopped as it was asked to; with a reason, because its worker ended it."""
        if self._end_quietly(tx, transitions.stop):
            self._carry_children(tx, children)
            return State.ABORTED
        if reason is None:
            return None
        if reason == "expired":
            self._adopt(tx)
            return State.EXPIRED if transitions.expire(tx, self.task_id) else None
        self._request_abort(tx, reason)
        self._end_quietly(tx, transitions.stop)
        return self._now(tx, won=True)

    @_ending
    def give_back(self, tx: Connection) -> State | None:
        """The task asked to be run again at once."""
        return self._now(tx, transitions.give_back(tx, self.task_id, self._number(tx)))

    @_in_transaction
    def _recorded_end(self, tx: Connection) -> State | None:
        """How it ended, if an earlier call was committed though the database did not say so."""
        found = queries.get_many(tx, [self.task_id]).get(self.task_id)
        if found is None or not found.is_final or found.attempt != self._number(tx):
            return None
        is_mine = self.claimed is None or found.started_at == self.claimed.started_at
        return found.state if is_mine else None

    def _fail_unrecordable(self, error: Exception) -> State | None:
        """Fail the attempt because the database cannot hold what was to be recorded of it."""
        logger.error("task %s fails: %s", self.task_id, error)
        self._last_progress = None
        failure = failure_of(error)

        def fail(tx: Connection) -> bool:
            self._adopt(tx, fitted=True)
            number = self._number(tx)
            return transitions.fail(tx, self.task_id, number, failure) or transitions.refuse(
                tx, self.task_id, number, failure
            )

        return State.FAILED if self.recorder.write(self.task_id, fail) else None

    def _end(self, tx: Connection, transition: Callable[..., bool], *values: Any) -> bool:
        """Make a transition; an attempt that runs without our base is claimed first if need be."""
        if self._end_quietly(tx, transition, *values):
            return True
        if self.claimed is None and self._begin(tx):
            return transition(tx, self.task_id, self._number(tx), *values)
        logger.warning("task %s: attempt %d has ended otherwise", self.task_id, self._number(tx))
        return False

    def _end_quietly(self, tx: Connection, transition: Callable[..., bool], *values: Any) -> bool:
        number = self._number(tx)
        if self._last_progress is not None:
            transitions.report(tx, self.task_id, number, self._last_progress)
        return transition(tx, self.task_id, number, *values)

    def _now(self, tx: Connection, won: bool) -> State | None:
        return queries.get(tx, self.task_id).state if won else None


PAUSED = "its queue or task type is paused"
"""Why an attempt that waits is not to be run."""


def why_not(number: int, found: Task | None) -> str:
    """Why an attempt of this number is not to be run."""
    if found is None:
        return f"attempt {number}: there is no record of the task"
    return f"attempt {number}: the task is {found.state}, attempt {found.attempt}"


def max_losses(app: Any, task_type: str | None) -> int:
    """How often a task may lose its worker and still be run again."""
    if getattr(app.tasks.get(task_type), "at_most_once", False):
        return 0
    return int(app.conf.get("taskgate_max_worker_losses", 3))


_running: ContextVar[Attempt | None] = ContextVar("taskgate_attempt", default=None)


@contextmanager
def running(attempt: Attempt) -> Iterator[None]:
    """While the attempt runs in this context, ``running_attempt`` finds it."""
    token = _running.set(attempt)
    try:
        yield
    finally:
        _running.reset(token)


def current_attempt() -> Attempt | None:
    """The attempt that runs in this context."""
    return _running.get()


def running_attempt(request: Any) -> Attempt | None:
    """The attempt that runs here, if the request is its own: not one of a direct or eager call."""
    attempt = _running.get()
    if attempt is None or getattr(request, "id", None) != attempt.task_id:
        return None
    is_other_call = getattr(request, "called_directly", True) or request.is_eager
    return None if is_other_call else attempt
