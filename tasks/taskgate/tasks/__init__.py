"""The Celery side of taskgate.

::

    from taskgate.tasks import task

    @task
    def add(x: int, y: int) -> int:
        return x + y

Start a worker with ``celery -A taskgate.tasks worker``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgate.tasks.base import TaskgateTask
from taskgate.tasks.decorator import task

if TYPE_CHECKING:
    from celery import Celery

__all__ = ["TaskgateTask", "manage", "task"]


def __getattr__(name: str) -> Any:
    """Make the app, from the environment, only for those who ask for it.

    It is called ``celery``, which Celery's own command looks for, too; ``app`` is the module.
    """
    if name == "celery":
        from taskgate.tasks.app import create_app
        from taskgate.tasks.settings import Settings

        globals()["celery"] = create_app(Settings())
        return globals()["celery"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def manage(app: Celery) -> Celery:
    """Have the tasks of a Celery app recorded, with settings from the environment."""
    from taskgate.tasks.app import manage as manage_app

    return manage_app(app)
