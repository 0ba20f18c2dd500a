"""Reads and validates single fields: each notes what is wrong, with the value and the way out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from taskgate.server.errors import InvalidRequest, Violation, Violations
from taskgate.server.text import nearest, quote
from taskgate.store.record import RetryPolicy
from taskgate.v1 import task_pb2, task_service_pb2

MAX_PRIORITY = 9
DEFAULT_PRIORITY = 4
MAX_LABELS = 32
MAX_LABEL_LENGTH = 63
MAX_REQUEST_ID_LENGTH = 128
MAX_REASON_LENGTH = 1_000
MAX_NAME_LENGTH = 255
MAX_ID_LENGTH = 255
MAX_QUEUE_BYTES = 255
"""In UTF-8: AMQP names are that long at most."""
MAX_ATTEMPTS = 1_000
MAX_BACKOFF_MULTIPLIER = 100.0
MAX_ERROR_NAMES = 32
MAX_ERROR_NAME_LENGTH = 255

MAX_DURATION = timedelta(days=3660)
"""Ten years: whatever is longer is a mistake, and could leave the calendar when added to."""

LATEST_TIME = datetime(3000, 1, 1, tzinfo=UTC)

MARGIN_SECONDS = 0.25
"""An answer on the last moment would come too late: a deadline is met by as much before it."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NANOSECONDS = 1_000_000_000
_ERROR_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_RESERVED = ("celeryev", "amq.")
_RESERVED_END = ".pidbox"


def task_id(text: str, field: str = "id") -> str:
    """A task's id: a UUID, or what a Celery program chose.

    Raises:
        InvalidRequest: no task can have the id.
    """
    if not 1 <= len(text) <= MAX_ID_LENGTH or "\0" in text:
        example = "a UUID such as 0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f, or what a program chose"
        raise InvalidRequest([Violation(field, f"{quote(text)} is no task id, {example}")])
    return text


def other_spelling(task_id: str) -> str | None:
    """The lower-case form of a UUID in capitals, which our ids have; None if it has none."""
    lower = task_id.lower()
    return lower if lower != task_id and _UUID.fullmatch(task_id) else None


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
    elif "\0" in value:
        violations.add(field, f"{quote(value)} has a NUL character")
    return value


def priority(value: int, violations: Violations) -> int:
    """A priority from 0 to 9."""
    if not 0 <= value <= MAX_PRIORITY:
        violations.add("priority", f"{value} is not within 0 to {MAX_PRIORITY}")
    return value


def labels(value: Mapping[str, str], violations: Violations) -> dict[str, str]:
    """Labels that are not too many and not too long."""
    if len(value) > MAX_LABELS:
        violations.add("labels", f"{len(value)} labels are too many; {MAX_LABELS} are allowed")
        return {}
    for key, label in value.items():
        if not key:
            violations.add("labels", "a label has an empty key")
        text(key, f"labels.{key}", MAX_LABEL_LENGTH, violations)
        text(label, f"labels.{key}", MAX_LABEL_LENGTH, violations)
    return dict(value)


def queue(name: str, known: Collection[str], violations: Violations) -> None:
    """A queue that tasks may be sent to, and that someone serves or served."""
    if name.startswith(_RESERVED) or name.endswith(_RESERVED_END):
        violations.add("queue", f"{quote(name)} is a name that Celery or the broker reserves")
    elif len(name.encode()) > MAX_QUEUE_BYTES:
        violations.add("queue", f"{quote(name)} is longer than {MAX_QUEUE_BYTES} bytes")
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


def unique(message: task_pb2.Unique, violations: Violations) -> dict[str, Any]:
    """What keeps other tasks away, by the names of ``NewTask``'s fields."""
    key = text(message.key, "unique.key", MAX_NAME_LENGTH, violations)
    if not key:
        violations.add("unique.key", "it is empty; give what tells tasks that are the same")
    for field, number, enum in (
        ("until", message.until, task_pb2.UniqueUntil),
        ("on_conflict", message.on_conflict, task_pb2.UniqueConflict),
    ):
        if number not in enum.values():
            violations.add(f"unique.{field}", f"{number} is none of them")
    at_start = message.until == task_pb2.UNIQUE_UNTIL_START
    ttl = None
    if message.HasField("ttl"):
        ttl = duration(message.ttl, "unique.ttl", violations)
        if at_start:
            violations.add("unique.ttl", "it is for UNIQUE_UNTIL_END only")
    return {
        "unique_key": key,
        "unique_until": "START" if at_start else "END",
        "unique_ttl": ttl or None,
        "answers_holder": message.on_conflict == task_pb2.UNIQUE_CONFLICT_ANSWER_HOLDER,
    }


def _max_attempts(value: int, violations: Violations) -> int | None:
    if not 0 <= value <= MAX_ATTEMPTS:
        field = "retry_policy.max_attempts"
        violations.add(field, f"{value} is not within 0 (the task type's own) to {MAX_ATTEMPTS}")
    return value or None


def _backoff(message: task_pb2.RetryPolicy, name: str, violations: Violations) -> float | None:
    if not message.HasField(name):  # type: ignore[arg-type]  # a name of one of its fields
        return None
    length: timedelta = duration(getattr(message, name), f"retry_policy.{name}", violations)
    return length.total_seconds()


def _multiplier(value: float, violations: Violations) -> float | None:
    if value and not 1 <= value <= MAX_BACKOFF_MULTIPLIER:  # NaN is neither
        field = "retry_policy.backoff_multiplier"
        violations.add(
            field, f"{value:g} is neither 0 (the default) nor 1 to {MAX_BACKOFF_MULTIPLIER:g}"
        )
    return value or None


def _error_names(names: Collection[str], violations: Violations) -> tuple[str, ...]:
    field = "retry_policy.non_retryable_errors"
    if len(names) > MAX_ERROR_NAMES:
        violations.add(field, f"{len(names)} names are too many; {MAX_ERROR_NAMES} are allowed")
        return ()
    for index, name in enumerate(names):
        if len(name) > MAX_ERROR_NAME_LENGTH or not _ERROR_NAME.fullmatch(name):
            problem = "is no exception's name such as ValueError or package.module.Error"
            violations.add(f"{field}[{index}]", f"{quote(name)} {problem}")
    return tuple(names)


def duration(
    message: Duration, field: str, violations: Violations, *, zero: bool = True
) -> timedelta:
    """A length of time from nothing (or more than nothing, unless ``zero``) to ten years."""
    length = timedelta(seconds=message.seconds) if _in_range(message.seconds) else MAX_DURATION * 2
    length += timedelta(microseconds=message.nanos // 1_000)
    if abs(message.nanos) >= _NANOSECONDS or message.seconds * message.nanos < 0:
        violations.add(field, f"nanos {message.nanos} does not fit seconds {message.seconds}")
    elif length < timedelta(0) or message.seconds < 0:
        violations.add(field, f"{_seconds(message)} s is negative; it must be 0 s or longer")
    elif length > MAX_DURATION:
        violations.add(field, f"{_seconds(message)} s is longer than ten years")
    elif not zero and message.seconds == 0 and message.nanos == 0:
        violations.add(field, "0 s is too short; leave the field out for none")
    return length


def seconds_to_wait(wait: timedelta, longest: float, time_remaining: float | None) -> float:
    """How long a call may wait that asks for ``wait``.

    ``longest``: seconds; ``time_remaining``: seconds until its deadline, None if it has none.
    """
    seconds = min(wait.total_seconds(), longest)
    if time_remaining is None:
        return seconds
    return min(seconds, time_remaining - min(MARGIN_SECONDS, time_remaining / 10))


def timestamp(message: Timestamp, field: str, violations: Violations) -> datetime:
    """A time from year 1 to the year 3000."""
    try:
        time = message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        violations.add(field, f"{message.seconds} s and {message.nanos} ns from 1970 is no time")
        return LATEST_TIME
    if time > LATEST_TIME:
        violations.add(field, f"{time:%Y-%m-%d} is later than the year 3000")
    return time


def _in_range(seconds: int) -> bool:
    return abs(seconds) <= MAX_DURATION.total_seconds()


def _seconds(message: Duration) -> str:
    return f"{message.seconds + message.nanos / _NANOSECONDS:g}"
