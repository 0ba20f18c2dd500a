"""Telling whether two requests with one request_id ask for the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import datetime, timedelta
from typing import Any

from taskgate.store.record import NewTask, RetryPolicy

_NOT_THE_CALLERS = frozenset(
    {"id", "queue", "max_attempts", "submitted_by", "request_id", "request_digest"}
)
"""What the server adds, resolves, or scopes the request_id by."""


def digest(new: NewTask, queue: str) -> str:
    """SHA-256 of what the caller asked for, however it was written.

    ``queue``: the one that was asked for, empty if none was: what the task type's own queue is may
    change between two requests.
    """
    content = {name: value for name, value in _said(new) if name not in _NOT_THE_CALLERS}
    content["arguments"] = json.loads(new.arguments)
    content["queue"] = queue
    text = json.dumps(content, sort_keys=True, default=_json)
    return hashlib.sha256(text.encode()).hexdigest()


def _said(values: NewTask | RetryPolicy) -> Iterator[tuple[str, Any]]:
    """What differs from the defaults: a field that a later version adds must change no digest."""
    for field in fields(values):
        value = getattr(values, field.name)
        is_default = field.default is not MISSING and value == field.default
        if not (is_default or value == {}):
            yield field.name, value


def _json(value: timedelta | datetime | RetryPolicy) -> Any:
    return dict(_said(value)) if isinstance(value, RetryPolicy) else str(value)
