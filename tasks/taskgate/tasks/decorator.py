"""The decorator for users' tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from celery import shared_task

from taskgate.tasks.base import TaskgateTask

if TYPE_CHECKING:
    from celery import Task

P = ParamSpec("P")
R = TypeVar("R")


@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...
def task(*function: Any, **options: Any) -> Any:
    """Make a function a task: ``@task`` or ``@task(name=…, queue=…, …)``.

    Takes all of Celery's options, and

    - ``at_most_once``: never run a task again that lost its worker; False if not given.
    - ``typed``: check the arguments against the function's annotations, and pass them as those
      types (dataclasses and pydantic models included); True if not given.
    """
    decorate: Any = shared_task(**{"base": TaskgateTask, "typed": True, **options})
    return decorate(*function) if function else decorate
