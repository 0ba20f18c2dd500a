"""The record in the words of Celery's results."""

from __future__ import annotations

import json
from typing import Any

from celery import states
from celery.contrib.abortable import ABORTED
from celery.exceptions import TaskRevokedError

from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.tasks.failures import celery_error
from taskgate.tasks.serializing import from_json

_STATES = {
    State.SCHEDULED: states.PENDING,
    State.QUEUED: states.PENDING,
    State.RUNNING: states.STARTED,
    State.RETRYING: states.RETRY,
    State.ABORTING: ABORTED,
    State.SUCCEEDED: states.SUCCESS,
    State.FAILED: states.FAILURE,
    State.ABORTED: ABORTED,
    State.EXPIRED: states.REVOKED,
}


def meta_of(task_id: str, task: Task | None) -> dict[str, Any]:
    """A task's meta as Celery's backends give it; PENDING for an unknown id.

    ``is_final`` is ours: ABORTED is Celery's word also for a task that still runs.
    """
    if task is None:
        return {"task_id": task_id, "status": states.PENDING, "result": None, "is_final": False}
    status, result = _status_and_result(task)
    arguments = from_json(task.arguments)
    carried = json.loads(task.message) if task.message else {}
    return {
        "task_id": task.id,
        "status": status,
        "result": result,
        "is_final": task.is_final,
        "traceback": task.failure.traceback if task.failure else None,
        "children": carried.get("children", []),
        "date_done": task.finished_at,
        "name": task.task_type,
        "args": arguments["args"],
        "kwargs": arguments["kwargs"],
        "worker": task.worker,
        "retries": task.retries,
        "queue": task.queue,
        "group_id": carried.get("group"),
        "parent_id": carried.get("parent_id"),
    }


def _status_and_result(task: Task) -> tuple[str, Any]:
    status = _STATES[task.state]
    match task.state:
        case State.SUCCEEDED:
            return status, from_json(task.result or "null")
        case State.FAILED | State.RETRYING if task.failure is not None:
            return status, celery_error(task.failure)
        case State.EXPIRED:
            return status, celery_error_of(TaskRevokedError("expired"))
        case State.RUNNING if task.progress is not None:
            progress = from_json(task.progress)
            return progress["state"], progress["meta"]
        case State.RUNNING:
            return status, {"hostname": task.worker}
    return status, None


def celery_error_of(error: Exception) -> dict[str, Any]:
    """An exception of Celery's own as its JSON backends keep it."""
    return {
        "exc_type": type(error).__name__,
        "exc_message": list(error.args),
        "exc_module": type(error).__module__,
    }
