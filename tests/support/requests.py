"""Requests to a server, with arguments as tests write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from taskgate.server.messages import values
from taskgate.v1 import task_pb2, task_service_pb2


def submit(
    task_type: str = "demo.add", *args: Any, **fields: Any
) -> task_service_pb2.SubmitRequest:
    """A Submit of `demo.add(1, 2)`, unless told otherwise."""
    given = args or ((1, 2) if task_type == "demo.add" else ())
    request = task_service_pb2.SubmitRequest(task_type=task_type, **fields)
    if given and not request.arguments_json:
        request.args.CopyFrom(values.to_list(list(given)))
    return request


def submit_text(task_type: str, *args: Any, **fields: Any) -> task_service_pb2.SubmitRequest:
    """A Submit with its arguments as JSON text."""
    text = json.dumps({"args": args, "kwargs": {}})
    return task_service_pb2.SubmitRequest(task_type=task_type, arguments_json=text, **fields)


def get(task_id: str, wait: float = 0) -> task_service_pb2.GetRequest:
    """A Get that waits so many seconds."""
    return task_service_pb2.GetRequest(id=task_id, wait=duration(wait))


def watch(
    seen: Mapping[str, int],
    view: task_service_pb2.TaskView.ValueType = task_service_pb2.TASK_VIEW_UNSPECIFIED,
) -> task_service_pb2.WatchRequest:
    """A Watch of tasks, of which the versions given have been seen."""
    tasks = [
        task_service_pb2.WatchedTask(id=task_id, seen_version=version)
        for task_id, version in seen.items()
    ]
    return task_service_pb2.WatchRequest(tasks=tasks, view=view)


def duration(seconds: float) -> Duration:
    message = Duration()
    message.FromTimedelta(timedelta(seconds=seconds))
    return message


def arguments_of(task: task_pb2.Task) -> Any:
    """A task's arguments, in whichever of its fields they came."""
    if task.arguments_json:
        return json.loads(task.arguments_json)
    return {"args": values.from_list(task.args), "kwargs": values.from_struct(task.kwargs)}


def result_of(task: task_pb2.Task) -> Any:
    """A task's result, in whichever of its fields it came."""
    return json.loads(task.result_json) if task.result_json else values.from_value(task.result)
