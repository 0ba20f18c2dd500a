"""Answers as JSON for scripts: the protos' field names, exact numbers, times in ISO 8601."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from taskgate.client import Task, TaskgateError

_FULL_ONLY = ("args", "kwargs", "attempts", "result")


def task_as_json(task: Task) -> str:
    """The task as an indented JSON object."""
    return json.dumps(asdict(task), indent=2, ensure_ascii=False, default=_time)


def line_as_json(value: Any) -> str:
    """A value as a line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=_time)


def fields_of(task: Task, *, full: bool) -> dict[str, Any]:
    """The task's fields; without those that the server was not asked for, unless ``full``."""
    fields = asdict(task)
    if full:
        return fields
    if fields["error"] is not None:
        del fields["error"]["traceback"]
    return {name: value for name, value in fields.items() if name not in _FULL_ONLY}


def fields_of_error(error: TaskgateError) -> dict[str, Any]:
    """What scripts want to know of a refusal."""
    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": error.message,
        "violations": [asdict(violation) for violation in error.violations],
    }


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{value!r} has no JSON form")
