"""What of the user's runs after a success, and must find it on record."""

from __future__ import annotations

from typing import Any

from celery import signals
from celery.app.trace import task_has_custom

_CANVAS = ("callbacks", "chain", "chord", "children")
_HOOKS = ("on_success", "after_return")


def has_follow_ups(task: Any, request: Any) -> bool:
    """Whether anything could look for the success of this run as soon as it is recorded."""
    return (
        bool(signals.task_success.receivers or signals.task_postrun.receivers)
        or any(getattr(request, name, None) for name in _CANVAS)
        or any(task_has_custom(task, name) for name in _HOOKS)
    )
