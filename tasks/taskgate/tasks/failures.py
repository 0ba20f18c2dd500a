"""Exceptions as the record keeps them, and back; and when a retry policy has them retried."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery.exceptions import NotRegistered, Reject
from celery.utils.serialization import UnpickleableExceptionWrapper, ensure_serializable
from kombu.utils import json as kombu_json

from taskgate.store.lifecycle import Reason
from taskgate.store.record import Failure, RetryPolicy, Task
from taskgate.tasks.serializing import ResultNotSerializable, ResultTooLarge
from taskgate.tasks.signature import ArgumentsInvalid

INITIAL_BACKOFF = 1.0
BACKOFF_MULTIPLIER = 2.0
MAX_BACKOFF = 600.0

MAX_MESSAGE = 8 * 1024
"""The longest message of a failure or of progress, in characters; what is longer is cut."""

MAX_TRACEBACK = 32 * 1024

_REASONS: dict[type[BaseException], Reason] = {
    WorkerLostError: Reason.WORKER_LOST,
    TimeLimitExceeded: Reason.TIMED_OUT,
    SoftTimeLimitExceeded: Reason.TIMED_OUT,
    ResultTooLarge: Reason.RESULT_TOO_LARGE,
    ResultNotSerializable: Reason.RESULT_NOT_SERIALIZABLE,
    NotRegistered: Reason.TASK_TYPE_NOT_REGISTERED,
    ArgumentsInvalid: Reason.ARGUMENTS_INVALID,
    Reject: Reason.REJECTED,
}


class TaskExited(Exception):
    """The task raised what is no Exception, as ``sys.exit()`` does; that is the cause."""


def failure_of(error: Any, traceback: str | None = None) -> Failure:
    """What the record says about an error.

    ``error``: an exception, or the dictionary that Celery's programs write in its place
    (``exc_type``, ``exc_message``, ``exc_module``).
    """
    if isinstance(error, UnpickleableExceptionWrapper):
        return _failure(
            Reason.EXCEPTION,
            str(getattr(error, "text", None) or error.exc_cls_name),
            (str(error.exc_module), str(error.exc_cls_name)),
            error.exc_args,
            traceback,
        )
    if isinstance(error, BaseException):
        if isinstance(error, TaskExited) and error.__cause__ is not None:
            error = error.__cause__
        cls = type(error)
        names = cls.__module__, cls.__qualname__
        return _failure(reason_of(error), _text_of(error), names, error.args, traceback)
    fields = error if isinstance(error, dict) else {"exc_message": error}
    message = fields.get("exc_message", "")
    args = message if isinstance(message, list | tuple) else (message,)
    names = str(fields.get("exc_module") or ""), str(fields.get("exc_type") or "")
    return _failure(Reason.EXCEPTION, ", ".join(map(str, args)), names, args, traceback)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as exc:  # noqa: BLE001 - a user's __str__ can raise anything
        return f"<{type(error).__name__}: its __str__ raised {type(exc).__name__}>"


def reason_of(error: BaseException) -> Reason:
    """The kind of failure."""
    for cls, reason in _REASONS.items():
        if isinstance(error, cls):
            return reason
    return Reason.EXCEPTION


def celery_error(failure: Failure) -> dict[str, Any]:
    """The failure as Celery's JSON backends keep it."""
    return {
        "exc_type": failure.type or "Exception",
        "exc_message": json.loads(failure.args),
        "exc_module": failure.module or None,
    }


def _failure(
    reason: Reason, message: str, names: tuple[str, str], args: Any, traceback: str | None
) -> Failure:
    module, name = names
    kept = kombu_json.dumps(ensure_serializable(args, kombu_json.dumps))
    if len(kept) > MAX_MESSAGE:
        kept = kombu_json.dumps([cut(message, MAX_MESSAGE)])
    return Failure(
        reason=reason,
        message=cut(message, MAX_MESSAGE),
        type=name,
        module=module,
        args=kept,
        traceback=cut(str(traceback or ""), MAX_TRACEBACK),
    )


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and its end with a mark that says how much is left out."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} [… {len(text) - 2 * half} characters left out …] {text[-half:]}"


def wait_by_policy(task: Task, error: BaseException, max_retries: int | None) -> timedelta | None:
    """How long to wait before the next attempt; None if there is none by the task's policy.

    ``max_retries``: the task type's own, for a policy that says nothing of a number.
    """
    policy = task.retry_policy
    if policy is None or not is_retryable(policy, error):
        return None
    allowed = attempts_allowed(policy, task.max_attempts, max_retries)
    retries = task.retries + 1
    return None if allowed is not None and retries >= allowed else backoff(policy, retries)


def backoff(policy: RetryPolicy, retries: int) -> timedelta:
    """How long to wait before retry number ``retries`` (from 1)."""
    initial = INITIAL_BACKOFF if policy.initial_backoff is None else policy.initial_backoff
    multiplier = policy.backoff_multiplier or BACKOFF_MULTIPLIER
    longest = MAX_BACKOFF if policy.max_backoff is None else policy.max_backoff
    try:
        wait = min(initial * multiplier ** (retries - 1), longest)
    except OverflowError:
        wait = longest
    # Not for secrets: only so that tasks that failed together do not come back together.
    return timedelta(seconds=random.uniform(0, wait) if policy.jitter else wait)  # noqa: S311


def is_retryable(policy: RetryPolicy, error: BaseException) -> bool:
    """Whether neither the error's class nor a base of it is named as not retryable."""
    names = {name for cls in type(error).__mro__ for name in _names(cls)}
    return names.isdisjoint(policy.non_retryable_errors)


def attempts_allowed(
    policy: RetryPolicy | None, max_attempts: int | None, type_max_retries: int | None
) -> int | None:
    """How many attempts a task may use up by failing; None if that is not bounded."""
    if policy is not None and policy.max_attempts:
        return policy.max_attempts
    if max_attempts:
        return max_attempts
    return None if type_max_retries is None else type_max_retries + 1


def _names(cls: type) -> tuple[str, str, str]:
    return cls.__name__, cls.__qualname__, f"{cls.__module__}.{cls.__qualname__}"
