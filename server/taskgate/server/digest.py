"""Telling whether two requests with one request_id ask for the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any

from taskgate.store.record import NewTask

_NOT_THE_CALLERS = frozenset(
    {"id", "queue", "max_attempts", "submitted_by", "request_id", "request_digest"}
)
"""What the server adds, resolves, or scopes the request_id by."""


def digest(new: NewTask, queue: str) -> str:
    """SHA-256 of what the caller asked for, however it was written.

    ``queue``: the one that was asked for, empty if none was: what the task type's own queue is may
    change between two requests.
    """
    content = {
        field.name: getattr(new, field.name)
        for field in fields(new)
        if field.name not in _NOT_THE_CALLERS
    }
    content["arguments"] = json.loads(new.arguments)
    content["queue"] = queue
    text = json.dumps(content, sort_keys=True, default=_text)
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: Any) -> str:
    """Times, lengths of time, policies: their texts say all that is in them."""
    return str(value)
