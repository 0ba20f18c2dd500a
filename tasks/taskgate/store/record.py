"""The record as Python sees it: frozen values, made from rows in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from taskgate.store.lifecycle import FINAL, Outcome, Reason, State


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
    non_retryable_errors: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RetryPolicy:
        """From what ``to_json`` made."""
        values = json.loads(text)
        values["non_retryable_errors"] = tuple(values["non_retryable_errors"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed."""

    reason: Reason
    message: str
    type: str = ""
    """The exception's name within its module, ``ValueError``."""
    module: str = ""
    """The exception's module, ``builtins``."""
    args: str = "[]"
    """The exception's arguments as a JSON list; what JSON cannot hold stands as its repr."""
    traceback: str = ""

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Failure:
        """From what ``to_json`` made."""
        values = json.loads(text)
        values["reason"] = Reason(values["reason"])
        return cls(**values)


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
class AbortRequest:
    """Who asked for the abort, when and why."""

    requested_at: datetime
    reason: str
    by: str
    force_at: datetime | None


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
    abort: AbortRequest | None
    retry_of: str | None
    root_id: str
    worker: str | None
    submitted_by: str
    retry_policy: RetryPolicy | None
    message: str | None
    """JSON text: what the Celery message carried beyond the record's own columns (canvas)."""
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


_OUTCOMES = {
    State.SUCCEEDED: Outcome.SUCCEEDED,
    State.FAILED: Outcome.FAILED,
    State.ABORTED: Outcome.ABORTED,
}


def task_from_row(row: RowMapping, past_attempts: Sequence[Attempt] = ()) -> Task:
    """The only place where a row of ``taskgate_tasks`` becomes a Task."""
    values: dict[str, Any] = {name: row[name] for name in _PLAIN_COLUMNS}
    return Task(
        **values,
        state=State(row["state"]),
        labels=json.loads(row["labels"]),
        run_timeout=_optional(row["run_timeout"], lambda seconds: timedelta(seconds=seconds)),
        failure=_optional(row["failure"], Failure.from_json),
        retry_policy=_optional(row["retry_policy"], RetryPolicy.from_json),
        abort=_abort_from_row(row),
        past_attempts=tuple(past_attempts),
    )


def attempt_from_row(row: RowMapping) -> Attempt:
    """The only place where a row of ``taskgate_attempts`` becomes an Attempt."""
    return Attempt(
        number=row["number"],
        worker=row["worker"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=Outcome(row["outcome"]),
        failure=_optional(row["failure"], Failure.from_json),
    )


_PLAIN_COLUMNS = (
    "id",
    "task_type",
    "version",
    "queue",
    "priority",
    "arguments",
    "attempt",
    "retries",
    "worker_losses",
    "max_attempts",
    "created_at",
    "due_at",
    "started_at",
    "finished_at",
    "expires_at",
    "progress",
    "result",
    "retry_of",
    "root_id",
    "worker",
    "submitted_by",
    "message",
)


def _abort_from_row(row: RowMapping) -> AbortRequest | None:
    if row["abort_requested_at"] is None:
        return None
    return AbortRequest(
        requested_at=row["abort_requested_at"],
        reason=row["abort_reason"],
        by=row["abort_by"],
        force_at=row["abort_force_at"],
    )


def _optional(value: Any, convert: Any) -> Any:
    return None if value is None else convert(value)
