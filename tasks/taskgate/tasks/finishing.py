"""What each of Celery's states means for the record: a write for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import states
from celery.contrib.abortable import ABORTED
from celery.exceptions import NotRegistered, Retry
from celery.utils.log import get_logger
from sqlalchemy import Connection

from taskgate.store import outbox, queries, transitions
from taskgate.store.errors import TaskAlreadyFinal
from taskgate.store.lifecycle import State
from taskgate.store.record import Failure, Task
from taskgate.tasks import claiming, retrying
from taskgate.tasks.failures import failure_of
from taskgate.tasks.messages import attempt_of, remember_children
from taskgate.tasks.run import NextAttempt, Run, run_of
from taskgate.tasks.serializing import to_json
from taskgate.tasks.worker import identity

logger = get_logger(__name__)


class Ending(Enum):
    """What became of a task by a write."""

    FAILED = "failed"
    ABORTED = "aborted"
    GOES_ON = "goes on"
    """It ended otherwise, or it runs again, or the writer had lost the right to say."""


Write = Callable[[Connection], object]
EndingWrite = Callable[[Connection], Ending]

_NOT_RECORDED = frozenset({states.PENDING, states.RECEIVED, states.STARTED})
_CELERYS_OWN = _NOT_RECORDED | states.ALL_STATES | {ABORTED}


def is_progress(state: str) -> bool:
    """Whether the state is a program's own word for how far its task is."""
    return state not in _CELERYS_OWN


def progress_json(state: str, meta: Any) -> str:
    """``Task.progress``."""
    return to_json({"state": state, "meta": meta})


def writer(  # noqa: PLR0911 - a table
    app: Any, task_id: str, result: Any, state: str, traceback: str | None, request: Any
) -> Write | None:
    """The write for ``store_result``; None if the record has nothing to learn.

    Raises:
        ResultNotSerializable: the result of a success cannot be written as JSON.
    """
    match state:
        case states.SUCCESS:
            return _success_writer(app, task_id, to_json(result), request)
        case states.FAILURE:
            return failure_writer(app, task_id, result, traceback, request)
        case states.RETRY:
            return retry_writer(app, task_id, result, traceback, request)
        case states.REVOKED:
            return revoke_writer(app, task_id, str(result), request)
        case states.STARTED if run_of(request) is None:
            return lambda tx: _begin(tx, app, task_id, request)
        case state if state == ABORTED:
            return lambda tx: _request_abort(tx, app, task_id, request, "")
        case state if is_progress(state):
            return _progress_writer(app, task_id, progress_json(state, result), request)
    return None


def _success_writer(app: Any, task_id: str, result: str, request: Any) -> Write:
    attempt = _attempt(request)
    children = [child.as_tuple() for child in getattr(request, "children", None) or ()]

    def succeed(tx: Connection) -> None:
        if _ended(
            tx, app, task_id, request, lambda: transitions.succeed(tx, task_id, attempt, result)
        ):
            remember_children(tx, task_id, children)

    return succeed


def _progress_writer(app: Any, task_id: str, progress: str, request: Any) -> Write:
    attempt = _attempt(request)
    return lambda tx: _ended(
        tx, app, task_id, request, lambda: transitions.report(tx, task_id, attempt, progress)
    )


def failure_writer(
    app: Any, task_id: str, error: Any, traceback: str | None, request: Any
) -> EndingWrite:
    """The write for a failure, be it the task's own or its worker's."""
    failure = failure_of(error, traceback)

    def fail(tx: Connection) -> Ending:
        match error:
            case WorkerLostError():
                return _lose(tx, app, task_id, failure, request)
            case TimeLimitExceeded():
                return _time_out(tx, app, task_id, failure, error, request)
            case NotRegistered():
                return _refuse(tx, app, task_id, failure, request)
        attempt = _attempt(request)
        won = _ended(
            tx, app, task_id, request, lambda: transitions.fail(tx, task_id, attempt, failure)
        )
        return Ending.FAILED if won else Ending.GOES_ON

    return fail


def max_losses(app: Any, task_type: str | None) -> int:
    """How often a task may lose its worker and still be run again."""
    if getattr(app.tasks.get(task_type), "at_most_once", False):
        return 0
    return int(app.conf.get("taskgate_max_worker_losses", 3))


def _lose(tx: Connection, app: Any, task_id: str, failure: Failure, request: Any) -> Ending:
    most = max_losses(app, getattr(request, "task", None))
    attempt = _attempt(request)
    if transitions.lose(tx, task_id, attempt, failure, max_losses=most):
        return _ending(queries.get(tx, task_id))
    # Not claimed yet: its message is gone with the process.
    claiming.adopt(tx, app, task_id, request)
    task_now = queries.get(tx, task_id)
    if task_now.state is State.QUEUED and task_now.attempt == attempt:
        outbox.put(tx, task_id, attempt, timedelta(0))
    return Ending.GOES_ON


def _time_out(
    tx: Connection, app: Any, task_id: str, failure: Failure, error: Exception, request: Any
) -> Ending:
    attempt = _attempt(request)
    now = queries.get_many(tx, [task_id]).get(task_id)
    if now is not None and now.state is State.RUNNING and now.attempt == attempt:
        wait = _policy_wait(app, now, error)
        if wait is not None:
            retries = now.retries + 1
            transitions.back_off(tx, task_id, attempt, failure, delay=wait, retries=retries)
            return Ending.GOES_ON
    won = _ended(tx, app, task_id, request, lambda: transitions.fail(tx, task_id, attempt, failure))
    return Ending.FAILED if won else Ending.GOES_ON


def _policy_wait(app: Any, now: Task, error: Exception) -> timedelta | None:
    policy = now.retry_policy
    if policy is None or not retrying.is_retryable(policy, error):
        return None
    type_max_retries = getattr(app.tasks.get(now.task_type), "max_retries", None)
    allowed = retrying.attempts_allowed(policy, now.max_attempts, type_max_retries)
    retries = now.retries + 1
    return None if allowed is not None and retries >= allowed else retrying.backoff(policy, retries)


def _refuse(tx: Connection, app: Any, task_id: str, failure: Failure, request: Any) -> Ending:
    claiming.adopt(tx, app, task_id, request)
    now = queries.get(tx, task_id)
    won = transitions.refuse(tx, task_id, now.attempt, failure)
    return Ending.FAILED if won else Ending.GOES_ON


def retry_writer(
    app: Any, task_id: str, error: Any, traceback: str | None, request: Any
) -> EndingWrite:
    """The write for a retry: the next attempt is due later; or now, if the worker cannot go on."""
    run = run_of(request)
    attempt = _attempt(request)

    def retry(tx: Connection) -> Ending:
        if run is not None:
            failure = failure_of(error if error is not None else Retry("retry"), traceback)
            planned = run.next_attempt or _default_retry(app, run, request)
            transitions.back_off(
                tx,
                task_id,
                attempt,
                failure,
                delay=planned.delay,
                retries=planned.retries,
                arguments=planned.arguments,
            )
        elif isinstance(error, Retry):  # a cold shutdown: Celery publishes nothing
            transitions.give_back(tx, task_id, attempt)
        now = queries.get_many(tx, [task_id]).get(task_id)
        return Ending.GOES_ON if now is None else _ending(now)

    return retry


def _default_retry(app: Any, run: Run, request: Any) -> NextAttempt:
    """For a task that raised Celery's Retry without having called ``retry()``."""
    delay = timedelta(seconds=app.tasks[request.task].default_retry_delay)
    return NextAttempt(delay, run.claim.retries + 1)


def revoke_writer(app: Any, task_id: str, reason: str, request: Any) -> Write:
    """The write for a task that its worker ended by force, or dropped unstarted."""
    attempt = _attempt(request)

    def revoke(tx: Connection) -> None:
        if transitions.stop(tx, task_id, attempt):
            return
        claiming.adopt(tx, app, task_id, request)
        if reason == "expired":
            transitions.expire(tx, task_id)
            return
        _request_abort(tx, app, task_id, request, reason)
        transitions.stop(tx, task_id, attempt)

    return revoke


def _request_abort(tx: Connection, app: Any, task_id: str, request: Any, reason: str) -> None:
    claiming.adopt(tx, app, task_id, request)
    try:
        transitions.request_abort(tx, task_id, by="", reason=reason)
    except TaskAlreadyFinal as exc:
        logger.info("nothing to abort: %s", exc)


def abort_writer(run: Run) -> Callable[[Connection], bool]:
    """The write for a task that stopped because it was asked to."""
    return lambda tx: transitions.stop(tx, run.claim.task_id, run.claim.attempt)


def ignore_writer(run: Run) -> Write:
    """The write for a task that raised Ignore: it ended, without a result."""
    return lambda tx: transitions.succeed(tx, run.claim.task_id, run.claim.attempt, "null")


def give_back_writer(run: Run) -> Write:
    """The write for a task that asked to be run again at once."""
    return lambda tx: transitions.give_back(tx, run.claim.task_id, run.claim.attempt)


def _ended(tx: Connection, app: Any, task_id: str, request: Any, make: Callable[[], bool]) -> bool:
    """Make a transition; for a task that runs without our base, claim it first if need be."""
    if make():
        return True
    if run_of(request) is None and _begin(tx, app, task_id, request) and make():
        return True
    logger.warning("task %s: attempt %d is not its own any more", task_id, _attempt(request))
    return False


def _begin(tx: Connection, app: Any, task_id: str, request: Any) -> bool:
    claiming.adopt(tx, app, task_id, request)
    worker = identity.worker_id(getattr(request, "hostname", None))
    return transitions.claim(tx, task_id, _attempt(request), worker) is not None


def _attempt(request: Any) -> int:
    run = run_of(request)
    return attempt_of(request) if run is None else run.claim.attempt


def _ending(task: Task) -> Ending:
    return {State.FAILED: Ending.FAILED, State.ABORTED: Ending.ABORTED}.get(
        task.state, Ending.GOES_ON
    )
