"""The task as a client sees it: frozen values, made from messages in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskgate.client.retry_policy import RetryPolicy
from taskgate.client.unique import Unique
from taskgate.client.values import (
    from_duration,
    from_list,
    from_struct,
    from_timestamp,
    from_value,
)
from taskgate.v1 import schedules_pb2, task_pb2


class State(StrEnum):
    """Where a task is in its life; nothing leaves the last four."""

    UNSPECIFIED = "UNSPECIFIED"
    """A state that this version of the client does not know."""
    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    ABORTING = "ABORTING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """The task has ended."""
        return self in _FINAL


_FINAL = frozenset({State.SUCCEEDED, State.FAILED, State.ABORTED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why an attempt failed."""

    reason: str
    """``EXCEPTION``, ``WORKER_LOST``, ``TIMED_OUT``, …"""
    type: str
    """The exception's type with its module, for example ``builtins.ValueError``; may be empty."""
    message: str
    traceback: str

    def __str__(self) -> str:
        kind = self.type.removeprefix("builtins.") or self.reason
        return f"{kind}: {self.message}" if self.message else kind


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running task says it is."""

    current: float
    total: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Abort:
    """Who asked for an abort, when and why."""

    request_time: datetime | None
    reason: str
    by: str
    force_time: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a task."""

    number: int
    worker: str
    start_time: datetime | None
    end_time: datetime | None
    outcome: str | None
    """``SUCCEEDED``, ``FAILED``, ``ABORTED``, ``LOST``, ``RETURNED``; None while it runs."""
    error: TaskError | None


@dataclass(frozen=True, slots=True)
class Task:
    """One submission, as the server answered it; the fields are those of the proto's Task.

    Lists and batches answer without ``args``, ``kwargs``, ``attempts``, ``result`` and tracebacks,
    unless asked for all: then these are empty here.
    """

    id: str
    task_type: str
    state: State
    version: int
    queue: str
    priority: int
    args: list[Any]
    kwargs: dict[str, Any]
    labels: Mapping[str, str]
    attempt: int
    max_attempts: int | None
    attempts: tuple[Attempt, ...]
    create_time: datetime | None
    schedule_time: datetime | None
    start_time: datetime | None
    finish_time: datetime | None
    expire_time: datetime | None
    run_timeout: float | None
    """Seconds."""
    progress: Progress | None
    result: Any
    error: TaskError | None
    abort: Abort | None
    retry_of: str | None
    root_id: str
    worker: str | None
    submitted_by: str
    retry_policy: RetryPolicy | None
    """Where the submission said how failed attempts are retried."""
    unique: Unique | None
    """Where the submission said what keeps other tasks away."""
    schedule: str | None = None
    """The schedule that submitted it."""

    @property
    def is_final(self) -> bool:
        """The task has ended."""
        return self.state.is_final


def task_from_message(message: task_pb2.Task) -> Task:
    """The only place where a message becomes a Task."""
    args, kwargs = arguments_from_message(message)
    return Task(
        id=message.id,
        task_type=message.task_type,
        state=state_from_message(message.state),
        version=message.version,
        queue=message.queue,
        priority=message.priority,
        args=args,
        kwargs=kwargs,
        labels=dict(message.labels),
        attempt=message.attempt,
        max_attempts=message.max_attempts or None,
        attempts=tuple(map(_attempt, message.attempts)),
        create_time=_time(message, "create_time"),
        schedule_time=_time(message, "schedule_time"),
        start_time=_time(message, "start_time"),
        finish_time=_time(message, "finish_time"),
        expire_time=_time(message, "expire_time"),
        run_timeout=from_duration(message.run_timeout) if message.HasField("run_timeout") else None,
        progress=_progress(message.progress) if message.HasField("progress") else None,
        result=_result(message),
        error=_error_of(message),
        abort=_abort(message.abort) if message.HasField("abort") else None,
        retry_of=message.retry_of or None,
        root_id=message.root_id,
        worker=message.worker or None,
        submitted_by=message.submitted_by,
        retry_policy=(
            RetryPolicy.of(message.retry_policy) if message.HasField("retry_policy") else None
        ),
        unique=Unique.of(message.unique) if message.HasField("unique") else None,
        schedule=message.schedule or None,
    )


def state_from_message(number: task_pb2.TaskState.ValueType) -> State:
    """The state; UNSPECIFIED for one that is newer than this client."""
    if number not in task_pb2.TaskState.values():
        return State.UNSPECIFIED
    return State(task_pb2.TaskState.Name(number).removeprefix("TASK_STATE_"))


def arguments_from_message(
    message: task_pb2.Task | schedules_pb2.TaskTemplate,
) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the keyword arguments."""
    if message.arguments_json:
        arguments = json.loads(message.arguments_json)
        return arguments["args"], arguments["kwargs"]
    return from_list(message.args), from_struct(message.kwargs)


def _result(message: task_pb2.Task) -> Any:
    return json.loads(message.result_json) if message.result_json else from_value(message.result)


def _error_of(message: task_pb2.Task | task_pb2.Attempt) -> TaskError | None:
    return error_from_message(message.error) if message.HasField("error") else None


def error_from_message(error: task_pb2.TaskError) -> TaskError:
    """Why an attempt failed."""
    return TaskError(
        reason=_name(task_pb2.TaskErrorReason, error.reason, "TASK_ERROR_REASON_"),
        type=error.type,
        message=error.message,
        traceback=error.traceback,
    )


def _progress(message: task_pb2.Progress) -> Progress:
    total = message.total if message.HasField("total") else None
    return Progress(current=message.current, total=total, message=message.message)


def _abort(message: task_pb2.Abort) -> Abort:
    return Abort(
        request_time=_time(message, "request_time"),
        reason=message.reason,
        by=message.by,
        force_time=_time(message, "force_time"),
    )


def _attempt(message: task_pb2.Attempt) -> Attempt:
    return Attempt(
        number=message.number,
        worker=message.worker,
        start_time=_time(message, "start_time"),
        end_time=_time(message, "end_time"),
        outcome=outcome_from_message(message.outcome),
        error=_error_of(message),
    )


def outcome_from_message(number: task_pb2.AttemptOutcome.ValueType) -> str | None:
    """How an attempt ended; None if it has not."""
    return _name(task_pb2.AttemptOutcome, number, "ATTEMPT_OUTCOME_") if number else None


def _name(enum: Any, number: int, prefix: str) -> str:
    if number not in enum.values():
        return str(number)  # newer than this client
    name: str = enum.Name(number)
    return name.removeprefix(prefix)


def _time(message: Any, field: str) -> datetime | None:
    return from_timestamp(getattr(message, field)) if message.HasField(field) else None
