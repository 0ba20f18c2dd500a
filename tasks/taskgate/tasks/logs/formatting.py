"""What log lines look like: for people, or as JSON, with what they are about in each.

What a line is about (task, attempt, caller, trace) is asked for when it is written, of whoever
knows: nothing is kept up to date for lines that nobody writes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from celery import signals

from taskgate.tasks import tracing
from taskgate.tasks.attempt import current_attempt
from taskgate.tasks.settings import LogFormat

Context = Mapping[str, str | int]


_ABOUT_A_TASK = "task %s"
"""So begin lines of ours that are about one task, whose id is their first argument."""

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
"""What every record has; the rest a program gave as ``extra``."""

_providers: list[Callable[[], Context]] = []


def provide(context: Callable[[], Context]) -> None:
    """Ask ``context`` what each line is about, from now on."""
    if context not in _providers:
        _providers.append(context)


def context_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line is about."""
    found: dict[str, Any] = {}
    for context in _providers:
        found.update(context())
    if record.name.startswith("taskgate.") and str(record.msg).startswith(_ABOUT_A_TASK):
        task_id = record.args[0] if isinstance(record.args, tuple) and record.args else None
        if task_id != found.get("task_id"):
            found.pop("attempt", None)
            found["task_id"] = task_id
    return found


def _running() -> Context:
    """The attempt that runs where the line is written."""
    attempt = current_attempt()
    if attempt is None or attempt.claimed is None:
        return {}
    return {"task_id": attempt.task_id, "attempt": attempt.claimed.attempt}


provide(_running)
provide(tracing.log_context)


class WithContext(logging.Formatter):
    """Another formatter's lines, with what they are about and do not say."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line; its context at the end of its first line."""
        text = self._inner.format(record)
        first, *rest = text.split("\n", 1)
        context = context_of(record)
        unsaid = [
            f"{name}={value}"
            for name, value in context.items()
            if isinstance(value, int) or str(value) not in first
        ]
        return "\n".join([f"{first} [{' '.join(unsaid)}]" if unsaid else first, *rest])


class JsonFormatter(logging.Formatter):
    """A JSON object a line: time, level, logger, message, what it is about, and what it carries."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **{name: value for name, value in vars(record).items() if name not in _OWN},
            **context_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, default=str)


def formatter(style: LogFormat, inner: logging.Formatter) -> logging.Formatter:
    """The formatter of a style; ``inner`` is what people get to read."""
    return JsonFormatter() if style is LogFormat.JSON else WithContext(inner)


def format_workers_lines(style: LogFormat) -> None:
    """Have Celery's handlers, in this process and in those forked from it, write in a style."""

    def use_ours(logger: logging.Logger, **_: Any) -> None:
        for handler in logger.handlers:
            inner = handler.formatter or logging.Formatter()
            if not isinstance(inner, WithContext | JsonFormatter):
                handler.setFormatter(formatter(style, inner))

    # One receiver however many apps a process makes.
    for signal in (signals.after_setup_logger, signals.after_setup_task_logger):
        signal.connect(use_ours, weak=False, dispatch_uid="taskgate-log-format")
