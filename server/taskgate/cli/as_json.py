"""A task as JSON for scripts: the proto's field names, exact numbers, times in ISO 8601."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from taskgate.client import Task


def task_as_json(task: Task) -> str:
    """The task as an indented JSON object."""
    return json.dumps(asdict(task), indent=2, ensure_ascii=False, default=_time)


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{value!r} has no JSON form")
