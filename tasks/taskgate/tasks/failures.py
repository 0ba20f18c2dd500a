"""Exceptions as the record keeps them, and back."""

from __future__ import annotations

import json
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery.exceptions import NotRegistered, Reject
from celery.utils.serialization import UnpickleableExceptionWrapper, ensure_serializable
from kombu.utils import json as kombu_json

from taskgate.store.lifecycle import Reason
from taskgate.store.record import Failure
from taskgate.tasks.serializing import ResultNotSerializable
from taskgate.tasks.signature import ArgumentsInvalid

_REASONS: dict[type[BaseException], Reason] = {
    WorkerLostError: Reason.WORKER_LOST,
    TimeLimitExceeded: Reason.TIMED_OUT,
    SoftTimeLimitExceeded: Reason.TIMED_OUT,
    ResultNotSerializable: Reason.RESULT_NOT_SERIALIZABLE,
    NotRegistered: Reason.TASK_TYPE_NOT_REGISTERED,
    ArgumentsInvalid: Reason.ARGUMENTS_INVALID,
    Reject: Reason.REJECTED,
}


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
        cls = type(error)
        names = cls.__module__, cls.__qualname__
        return _failure(reason_of(error), str(error), names, error.args, traceback)
    fields = error if isinstance(error, dict) else {"exc_message": error}
    message = fields.get("exc_message", "")
    args = message if isinstance(message, list | tuple) else (message,)
    names = str(fields.get("exc_module") or ""), str(fields.get("exc_type") or "")
    return _failure(Reason.EXCEPTION, ", ".join(map(str, args)), names, args, traceback)


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
    return Failure(
        reason=reason,
        message=message,
        type=name,
        module=module,
        args=kombu_json.dumps(ensure_serializable(args, kombu_json.dumps)),
        traceback=str(traceback or ""),
    )
