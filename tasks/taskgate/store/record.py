"""The record as Python sees it: frozen values, whose fields are named like their columns."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import RowMapping

from taskgate.store.database.columns import from_json
from taskgate.store.lifecycle import FINAL, Outcome, Reason, State

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)


# Seeded by the system, but not read from it for each id: such a read lets go of the interpreter's
# lock, and a busy server waits long to have it back (1.3 times as many tasks a second in batches).
# Not random's own generator, which a user's code may seed.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)


def new_task_id() -> str:
    """A new UUID of version 7 (RFC 9562), in lower case: ids sort by the time they were made.

    It is unique, not secret.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | _random.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def from_row(cls: type[T], row: RowMapping, **others: Any) -> T:
    """An instance of a dataclass, from the row's columns that have its fields' names."""
    return cls(**{name: row[name] for name in _field_names(cls) if name in row}, **others)


@cache
def _field_names(cls: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(cls))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a submission wants failed attempts retried; what is None is the task type's business."""

    max_attempts: int | None = None
    initial_backoff: float | None = None
    """Seconds."""
    backoff_multiplier: float | None = None
    max_backoff: float | None = None
    """Seconds."""
    jitter: bool = False
    non_retryable_errors: tuple[str, ...] = field(default=(), metadata=from_json(tuple))


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule's ticks are: by a cron expression, or one every so often."""

    cron: str = ""
    zone: str = "UTC"
    """The IANA name of the time zone that a cron expression is read in."""
    interval: float = 0.0
    """Seconds; ticks are whole intervals away from the beginning of 1970, in UTC."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed."""

    reason: Reason = field(metadata=from_json(Reason))
    message: str
    type: str = ""
    """The exception's name within its module, ``ValueError``."""
    module: str = ""
    """The exception's module, ``builtins``."""
    args: str = "[]"
    """The exception's arguments as a JSON list; what JSON cannot hold stands as its repr."""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be recorded."""

    id: str
    task_type: str
    arguments: str
    """JSON text ``{"args": [...], "kwargs": {...}}``."""
    queue: str
    priority: int = 4
    labels: Mapping[str, str] = field(default_factory=dict)
    delay: timedelta | None = None
    schedule_time: datetime | None = None
    expire_time: datetime | None = None
    ttl: timedelta | None = None
    run_timeout: timedelta | None = None
    retry_policy: RetryPolicy | None = None
    max_attempts: int | None = None
    submitted_by: str = ""
    submitted_from: str | None = None
    unique_key: str | None = None
    unique_until: str | None = None
    """``START`` or ``END``, with a key."""
    unique_ttl: timedelta | None = None
    """How much longer than until its end it holds the key."""
    answers_holder: bool = False
    """While another task holds the key, that one is the answer."""
    """The network address of the caller."""
    trace: str | None = None
    """W3C's traceparent of what submitted it."""
    schedule: str | None = None
    """The id of the schedule that submits it."""
    request_id: str | None = None
    request_digest: str | None = None
    """A digest of all that the caller sent, by which a repeated request is told from another."""
    retry_of: str | None = None
    root_id: str | None = None
    """The first of the chain of retries; the task's own id if None."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has started."""

    number: int
    worker: str | None
    started_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Task:
    """The record of one task. JSON columns stay text: nothing is rounded on the way through."""

    id: str
    task_type: str
    state: State
    version: int
    queue: str
    priority: int
    arguments: str
    labels: Mapping[str, str]
    attempt: int
    retries: int
    """Celery's count of retries: attempts that failed, without those lost with their worker."""
    worker_losses: int
    max_attempts: int | None
    created_at: datetime
    due_at: datetime | None
    started_at: datetime | None
    """When the current attempt started."""
    finished_at: datetime | None
    expires_at: datetime | None
    run_timeout: timedelta | None
    progress: str | None
    """JSON text ``{"state": <Celery state>, "meta": <what the task reported>}``."""
    result: str | None
    """JSON text."""
    failure: Failure | None
    abort_requested_at: datetime | None
    """When an abort was first asked for."""
    abort_reason: str | None
    abort_by: str | None
    abort_force_at: datetime | None
    """When the worker ends the attempt by force."""
    retry_of: str | None
    root_id: str
    worker: str | None
    submitted_by: str
    retry_policy: RetryPolicy | None
    message: str | None
    """JSON text: what the Celery message carried beyond the record's own columns (canvas)."""
    unique_key: str | None
    unique_until: str | None
    unique_ttl: timedelta | None
    trace: str | None = None
    """W3C's traceparent of what submitted it; None where nobody traces."""
    schedule: str | None = None
    """The id of the schedule that submitted it."""
    past_attempts: tuple[Attempt, ...] = ()
    """The attempts before the current one."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All attempts that have started, oldest first."""
        if self.started_at is None:
            return self.past_attempts
        return (*self.past_attempts, self._current_attempt())

    def _current_attempt(self) -> Attempt:
        failure = self.failure if self.state is State.FAILED else None
        lost = failure is not None and failure.reason is Reason.WORKER_LOST
        return Attempt(
            number=self.attempt,
            worker=self.worker,
            started_at=self.started_at,
            ended_at=self.finished_at,
            outcome=Outcome.LOST if lost else _OUTCOMES.get(self.state),
            failure=failure,
        )


RECORDED = tuple(one.name for one in fields(Task) if one.name != "past_attempts")
"""The columns that a task is made of, in the order of its fields."""

_OUTCOMES = {
    State.SUCCEEDED: Outcome.SUCCEEDED,
    State.FAILED: Outcome.FAILED,
    State.ABORTED: Outcome.ABORTED,
}
