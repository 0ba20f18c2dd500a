"""Checks of single fields: each notes what is wrong, with the value and the way out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta

from taskgate.server.api.errors import InvalidRequest, Violation
from taskgate.server.requests import times
from taskgate.server.requests.text import nearest, quote
from taskgate.server.requests.violations import Violations
from taskgate.store.record import RetryPolicy
from taskgate.v1 import task_pb2, task_service_pb2

HIGHEST_PRIORITY = 9
MIDDLE_PRIORITY = 4
MOST_LABELS = 32
LONGEST_LABEL = 63
LONGEST_REQUEST_ID = 128
LONGEST_REASON = 1_000
LONGEST_NAME = 255
LONGEST_QUEUE = 255
"""In UTF-8: AMQP names are that long at most."""
MOST_ATTEMPTS = 1_000
STEEPEST_BACKOFF = 100.0
MOST_ERROR_NAMES = 32
LONGEST_ERROR_NAME = 255

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ERROR_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_RESERVED = ("celeryev", "amq.")
_RESERVED_END = ".pidbox"


def task_id(text: str, field: str = "id") -> str:
    """A task's id in its lower-case form.

    Raises:
        InvalidRequest: the text is no UUID.
    """
    if not _UUID.fullmatch(text):
        example = "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"
        violation = Violation(field, f"{quote(text)} is no task id, a UUID such as {example}")
        raise InvalidRequest([violation])
    return text.lower()


def view(value: task_service_pb2.TaskView.ValueType) -> task_service_pb2.TaskView.ValueType:
    """One of the views.

    Raises:
        InvalidRequest: it is a number that stands for none.
    """
    if value not in task_service_pb2.TaskView.values():
        raise InvalidRequest([Violation("view", f"{value} is no view")])
    return value


def text(value: str, field: str, longest: int, violations: Violations) -> str:
    """Text that is not too long and has no NULs, which databases do not take."""
    if len(value) > longest:
        violations.add(field, f"{len(value)} characters are too long; {longest} are allowed")
    if "\0" in value:
        violations.add(field, f"{quote(value)} has a NUL character")
    return value


def priority(value: int, violations: Violations) -> int:
    """A priority from 0 to 9."""
    if not 0 <= value <= HIGHEST_PRIORITY:
        violations.add("priority", f"{value} is not within 0 to {HIGHEST_PRIORITY}")
    return value


def labels(value: Mapping[str, str], violations: Violations) -> dict[str, str]:
    """Labels that are not too many and not too long."""
    if len(value) > MOST_LABELS:
        violations.add("labels", f"{len(value)} labels are too many; {MOST_LABELS} are allowed")
    for key, label in value.items():
        if not key:
            violations.add("labels", "a label has an empty key")
        text(key, f"labels.{key}", LONGEST_LABEL, violations)
        text(label, f"labels.{key}", LONGEST_LABEL, violations)
    return dict(value)


def queue(name: str, known: Collection[str], violations: Violations) -> None:
    """A queue that tasks may be sent to, and that someone serves or served."""
    if name.startswith(_RESERVED) or name.endswith(_RESERVED_END):
        violations.add("queue", f"{quote(name)} is a name that Celery or the broker reserves")
    elif len(name.encode()) > LONGEST_QUEUE:
        violations.add("queue", f"{quote(name)} is longer than {LONGEST_QUEUE} bytes")
    elif not name.isprintable():
        violations.add("queue", f"{quote(name)} has characters that cannot be printed")
    elif name not in known:
        hint = nearest(name, known) or "; start a worker on it, or name it in TASKGATE_QUEUES"
        violations.add("queue", f"no worker ever served a queue {quote(name)}{hint}")


def retry_policy(message: task_pb2.RetryPolicy, violations: Violations) -> RetryPolicy:
    """A retry policy; what is unset in it is the task type's business."""
    return RetryPolicy(
        max_attempts=_max_attempts(message.max_attempts, violations),
        initial_backoff=_backoff(message, "initial_backoff", violations),
        backoff_multiplier=_multiplier(message.backoff_multiplier, violations),
        max_backoff=_backoff(message, "max_backoff", violations),
        jitter=message.jitter,
        non_retryable_errors=_error_names(message.non_retryable_errors, violations),
    )


def _max_attempts(value: int, violations: Violations) -> int | None:
    if not 0 <= value <= MOST_ATTEMPTS:
        field = "retry_policy.max_attempts"
        violations.add(field, f"{value} is not within 0 (the task type's own) to {MOST_ATTEMPTS}")
    return value or None


def _backoff(message: task_pb2.RetryPolicy, name: str, violations: Violations) -> float | None:
    if not message.HasField(name):  # type: ignore[arg-type]  # a name of one of its fields
        return None
    length: timedelta = times.duration(getattr(message, name), f"retry_policy.{name}", violations)
    return length.total_seconds()


def _multiplier(value: float, violations: Violations) -> float | None:
    if value and not 1 <= value <= STEEPEST_BACKOFF:  # NaN is neither
        field = "retry_policy.backoff_multiplier"
        violations.add(field, f"{value:g} is neither 0 (the default) nor 1 to {STEEPEST_BACKOFF:g}")
    return value or None


def _error_names(names: Collection[str], violations: Violations) -> tuple[str, ...]:
    field = "retry_policy.non_retryable_errors"
    if len(names) > MOST_ERROR_NAMES:
        violations.add(field, f"{len(names)} names are too many; {MOST_ERROR_NAMES} are allowed")
    for index, name in enumerate(names):
        if len(name) > LONGEST_ERROR_NAME or not _ERROR_NAME.fullmatch(name):
            problem = "is no exception's name such as ValueError or package.module.Error"
            violations.add(f"{field}[{index}]", f"{quote(name)} {problem}")
    return tuple(names)
