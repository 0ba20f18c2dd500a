"""The decorator for users' tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import shared_task

from taskgate.tasks.base import TaskgateTask


def task(*args: Any, **options: Any) -> Any:
    """Make a function a task: ``@task`` or ``@task(name=…, queue=…, …)``.

    Takes all of Celery's options, and

    - ``at_most_once``: never run a task again that lost its worker; False if not given.
    - ``typed``: check the arguments against the function's annotations, and pass them as those
      types (dataclasses and pydantic models included); True if not given.
    """
    options = {"base": TaskgateTask, "typed": True, **options}
    if args:
        return _decorate(args[0], options)
    return lambda function: _decorate(function, options)


def _decorate(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    return shared_task(**options)(function)
