"""The record as the API's messages."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from functools import lru_cache
from typing import Any

from google.protobuf.duration_pb2 import Duration

from taskgate.server.messages import values
from taskgate.server.messages.values import duration, timestamp
from taskgate.server.text import printable
from taskgate.store import record
from taskgate.store.lifecycle import State
from taskgate.v1 import schedules_pb2, task_pb2


def task_message(task: record.Task) -> task_pb2.Task:
    """Everything that is recorded about a task."""
    message = basic_task_message(task)
    set_arguments(message, task.arguments)
    if task.state is State.SUCCEEDED and task.result is not None:
        _set_result(message, task.result)
    failure = _last_failure(task)
    if failure is not None:
        message.error.CopyFrom(_full_error_message(failure))
    message.attempts.extend(_attempt_message(attempt) for attempt in task.attempts)
    return message


def weight(task: record.Task) -> int:
    """How many characters ``task_message`` works on."""
    return len(task.arguments) + len(task.result or "") + len(task.progress or "")


def basic_task_message(task: record.Task) -> task_pb2.Task:
    """A task without its arguments, result, past attempts and traceback."""
    message = task_pb2.Task(
        id=printable(task.id),
        task_type=printable(task.task_type),
        state=enum_value(task_pb2.TaskState, "TASK_STATE", task.state),
        version=task.version,
        queue=printable(task.queue),
        priority=task.priority,
        attempt=task.attempt,
        max_attempts=task.max_attempts or 0,
        create_time=timestamp(task.created_at),
        retry_of=printable(task.retry_of or ""),
        root_id=printable(task.root_id),
        worker=printable(task.worker or ""),
        submitted_by=task.submitted_by,
    )
    _add_what_is_set(message, task)
    return message


def _add_what_is_set(message: task_pb2.Task, task: record.Task) -> None:
    """What few tasks have: to name it in the constructor takes time for those without it, too."""
    for name, time in (
        ("schedule_time", task.due_at),
        ("start_time", task.started_at),
        ("finish_time", task.finished_at),
        ("expire_time", task.expires_at),
    ):
        if time is not None:
            getattr(message, name).CopyFrom(timestamp(time))
    if task.schedule is not None:
        message.schedule = printable(task.schedule)
    if task.labels:
        message.labels.update(task.labels)
    for part_name, part in (
        ("run_timeout", duration(task.run_timeout)),
        ("progress", _progress_message(task.progress)),
        ("error", _last_error_message(task)),
        ("abort", _abort_message(task)),
        ("retry_policy", retry_policy_message(task.retry_policy)),
        ("unique", unique_message(task)),
    ):
        if part is not None:
            getattr(message, part_name).CopyFrom(part)


def unique_message(task: record.Task | record.NewTask) -> task_pb2.Unique | None:
    """What keeps other tasks away; None if nothing does."""
    if task.unique_key is None:
        return None
    return task_pb2.Unique(
        key=printable(task.unique_key),
        until=enum_value(task_pb2.UniqueUntil, "UNIQUE_UNTIL", task.unique_until),
        ttl=duration(task.unique_ttl),
    )


def _last_error_message(task: record.Task) -> task_pb2.TaskError | None:
    failure = _last_failure(task)
    return None if failure is None else error_message(failure)


@lru_cache(1_000)  # an open enum can hold anything
def enum_value(enum: Any, prefix: str, value: str | None) -> Any:
    """The message's value; UNSPECIFIED for none, and for one that only a newer taskgate knows."""
    name = f"{prefix}_{value}"
    return enum.Value(name if name in enum.keys() else f"{prefix}_UNSPECIFIED")  # noqa: SIM118


def _last_failure(task: record.Task) -> record.Failure | None:
    """Why the last attempt failed; what an attempt before it said is history."""
    return task.failure if task.state in (State.FAILED, State.RETRYING) else None


def set_arguments(message: task_pb2.Task | schedules_pb2.TaskTemplate, text: str) -> None:
    """Set the fields that carry arguments, from their JSON text."""
    try:
        arguments = json.loads(text)
        values.fill_list(message.args, arguments["args"])
        values.fill_struct(message.kwargs, arguments["kwargs"])
    except (values.Inexact, ValueError, RecursionError):
        message.ClearField("args")
        message.ClearField("kwargs")
        message.arguments_json = text


def _set_result(message: task_pb2.Task, text: str) -> None:
    try:
        values.fill_value(message.result, json.loads(text))
    except (values.Inexact, ValueError, RecursionError):
        message.ClearField("result")
        message.result_json = text


def _attempt_message(attempt: record.Attempt) -> task_pb2.Attempt:
    return task_pb2.Attempt(
        number=attempt.number,
        worker=printable(attempt.worker or ""),
        start_time=timestamp(attempt.started_at),
        end_time=timestamp(attempt.ended_at),
        outcome=enum_value(task_pb2.AttemptOutcome, "ATTEMPT_OUTCOME", attempt.outcome),
        error=None if attempt.failure is None else _full_error_message(attempt.failure),
    )


def _full_error_message(failure: record.Failure) -> task_pb2.TaskError:
    message = error_message(failure)
    message.traceback = printable(failure.traceback)
    return message


def error_message(failure: record.Failure) -> task_pb2.TaskError:
    """Why an attempt failed, without the traceback."""
    return task_pb2.TaskError(
        reason=enum_value(task_pb2.TaskErrorReason, "TASK_ERROR_REASON", failure.reason),
        type=printable(".".join(filter(None, (failure.module, failure.type)))),
        message=printable(failure.message),
    )


def _abort_message(task: record.Task) -> task_pb2.Abort | None:
    if task.abort_requested_at is None:
        return None
    return task_pb2.Abort(
        request_time=timestamp(task.abort_requested_at),
        reason=printable(task.abort_reason or ""),
        by=task.abort_by or "",
        force_time=timestamp(task.abort_force_at),
    )


def _progress_message(text: str | None) -> task_pb2.Progress | None:
    """What tasks report is theirs to choose: what is no progress is left out, never refused."""
    if text is None:
        return None
    reported = json.loads(text)
    meta = reported["meta"] if isinstance(reported["meta"], dict) else {}
    said = meta.get("message")
    return task_pb2.Progress(
        current=_number(meta.get("current")) or 0,
        total=_number(meta.get("total")),
        message=printable(said if isinstance(said, str) else _own_state(reported["state"])),
    )


def _own_state(state: str) -> str:
    """A state of the task's own making says what it does; PROGRESS says nothing."""
    return "" if state == "PROGRESS" else state


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def retry_policy_message(policy: record.RetryPolicy | None) -> task_pb2.RetryPolicy | None:
    """How attempts are retried; None if that was not said."""
    if policy is None:
        return None
    return task_pb2.RetryPolicy(
        max_attempts=policy.max_attempts or 0,
        initial_backoff=_seconds(policy.initial_backoff),
        backoff_multiplier=policy.backoff_multiplier or 0,
        max_backoff=_seconds(policy.max_backoff),
        jitter=policy.jitter,
        non_retryable_errors=policy.non_retryable_errors,
    )


def _seconds(seconds: float | None) -> Duration | None:
    return None if seconds is None else duration(timedelta(seconds=seconds))
