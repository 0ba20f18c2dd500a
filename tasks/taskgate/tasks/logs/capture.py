"""Keeping what tasks log: a handler of the standard library's, beside those that write lines."""

from __future__ import annotations

import logging
from typing import Any

from celery import signals
from celery.signals import worker_process_init

from taskgate.store.logs import Line
from taskgate.tasks.attempt import current_attempt
from taskgate.tasks.logs.kept import TaskLog

_PRINTED = "celery.redirected"
"""Where Celery logs what tasks print."""

_LIBRARIES = ("amqp", "billiard", "celery", "kombu", "taskgate")
"""Who logs about tasks, not in their name."""

_TEXT = logging.Formatter()


class TaskLogHandler(logging.Handler):
    """Keeps the lines that are logged while an attempt runs, in its context."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; most are about no attempt."""
        attempt = current_attempt()
        if attempt is None or attempt.claimed is None or _is_of_a_library(record.name):
            return
        try:
            line = Line(record.created, record.levelname, record.name, _TEXT.format(record))
        except Exception:  # noqa: BLE001 - arguments that do not fit, as logging's own handlers do
            self.handleError(record)
            return
        if attempt.log is None:
            attempt.log = TaskLog(attempt.task_id, attempt.claimed.attempt, self._most_bytes)
        attempt.log.add(line)
        if not attempt.has_ended:
            attempt.recorder.logs.put(attempt.log)


def _is_of_a_library(name: str) -> bool:
    return name != _PRINTED and name.partition(".")[0] in _LIBRARIES


def keep_task_logs(most_bytes: int) -> None:
    """Keep what tasks of this worker log, in this process and those that are forked from it.

    ``most_bytes``: of each attempt, the newest; 0 keeps nothing.
    """
    if not most_bytes:
        return
    handler = TaskLogHandler(most_bytes)

    def install(**_: Any) -> None:
        for name in ("", "celery.task"):  # Celery's task loggers pass nothing on to the root
            logger = logging.getLogger(name)
            if not any(isinstance(one, TaskLogHandler) for one in logger.handlers):
                logger.addHandler(handler)

    install()
    # Celery takes all handlers away when it sets its own up, in each process.
    for signal in (
        signals.after_setup_logger,
        signals.after_setup_task_logger,
        worker_process_init,
    ):
        signal.connect(install, weak=False, dispatch_uid="taskgate-task-logs")
