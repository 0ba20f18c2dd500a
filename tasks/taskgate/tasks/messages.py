"""What a Celery message says about a task, and how a record becomes one."""

from __future__ import annotations

import json
from typing import Any

from celery import Celery
from sqlalchemy import Connection

from taskgate.store import canvas as store_canvas
from taskgate.store.record import Task
from taskgate.store.submission import FIRST_ATTEMPT

ATTEMPT_HEADER = "taskgate_attempt"
"""The attempt that a message stands for: the fencing token, set on what taskgate publishes."""

_CANVAS = (
    "callbacks",
    "chain",
    "chord",
    "errbacks",
    "group",
    "group_index",
    "parent_id",
    "replaced_task_nesting",
    "reply_to",
    "root_id",
    "shadow",
    "stamped_headers",
    "stamps",
    "timelimit",
)
"""What a message carries beyond the record's own columns, by its names in a task's request."""


def is_from_taskgate(request: Any) -> bool:
    """Whether the message was published from a record, which therefore was there."""
    return getattr(request, ATTEMPT_HEADER, None) is not None


def attempt_of(request: Any) -> int:
    """The attempt that the message stands for; the first, for other producers' messages."""
    return int(getattr(request, ATTEMPT_HEADER, None) or FIRST_ATTEMPT)


def canvas_of(request: Any) -> str | None:
    """``Task.message`` for a task that another producer published."""
    carried = {name: value for name in _CANVAS if (value := getattr(request, name, None))}
    return json.dumps(carried) if carried else None


def remember_children(tx: Connection, task_id: str, children: list[Any]) -> None:
    """Keep the results of the tasks that a task has started, Celery's ``children``."""
    if children:
        carried = json.loads(store_canvas.message(tx, task_id) or "{}")
        store_canvas.set_message(tx, task_id, json.dumps({**carried, "children": children}))


def message_of(app: Celery, task: Task) -> Any:
    """The protocol-2 message (headers, properties, body) of the task's current attempt."""
    arguments = json.loads(task.arguments)
    canvas = json.loads(task.message) if task.message else {}
    time_limit, soft_time_limit = canvas.get("timelimit") or (None, None)
    if task.run_timeout is not None:
        time_limit = task.run_timeout.total_seconds()
    message = app.amqp.as_task_v2(
        task.id,
        task.task_type,
        arguments["args"],
        arguments["kwargs"],
        group_id=canvas.get("group"),
        group_index=canvas.get("group_index"),
        retries=task.retries,
        chord=canvas.get("chord"),
        callbacks=canvas.get("callbacks"),
        errbacks=canvas.get("errbacks"),
        reply_to=canvas.get("reply_to"),
        time_limit=time_limit,
        soft_time_limit=soft_time_limit,
        root_id=canvas.get("root_id"),
        parent_id=canvas.get("parent_id"),
        shadow=canvas.get("shadow"),
        chain=canvas.get("chain"),
        replaced_task_nesting=canvas.get("replaced_task_nesting", 0),
        stamped_headers=canvas.get("stamped_headers"),
        **(canvas.get("stamps") or {}),
    )
    message.headers[ATTEMPT_HEADER] = task.attempt
    return message
