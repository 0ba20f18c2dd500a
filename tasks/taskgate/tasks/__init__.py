"""The Celery side of taskgate.

::

    from taskgate.tasks import task

    @task
    def add(x: int, y: int) -> int:
        return x + y

Start a worker with ``celery -A taskgate.tasks worker``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskgate.tasks.app import manage
    from taskgate.tasks.base import TaskgateTask, task

__all__ = ["TaskgateTask", "manage", "task"]

_HOMES = {"TaskgateTask": "base", "manage": "app", "task": "base"}


def __getattr__(name: str) -> Any:
    """Import what is asked for; programs that only want the settings need no Celery.

    ``celery`` is the app, made from the environment; Celery's own command looks for that name.
    """
    if name == "celery":
        globals()[name] = _app_from_environment()
        return globals()[name]
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _app_from_environment() -> Any:
    settings = import_module(f"{__name__}.settings")
    try:
        values = settings.Settings()
    except settings.ValidationError as error:  # Celery's command would print its traceback
        raise SystemExit("\n  ".join(["settings are wrong", *settings.problems(error)])) from None
    return import_module(f"{__name__}.app").create_app(values)
