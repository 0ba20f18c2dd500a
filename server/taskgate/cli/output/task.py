"""A task for people to read, and as JSON for scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.text import Text

from taskgate.cli.output.terminal import json_text, write
from taskgate.cli.output.times import local_time
from taskgate.client import Abort, Progress, State, Task

STATE_STYLES = {
    State.SCHEDULED: "cyan",
    State.QUEUED: "cyan",
    State.RUNNING: "blue",
    State.RETRYING: "yellow",
    State.ABORTING: "magenta",
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.ABORTED: "magenta",
    State.EXPIRED: "magenta",
}

_FULL_ONLY = ("args", "kwargs", "attempts", "result")

_INDENT = " " * 13
"""Keeps a value's further lines from looking like rows of ours."""

_FRAME = re.compile(
    r'^  File "[^"\n]*", line \d+.*\n(?:    .*\n|  \[Previous line .*\n)*', re.MULTILINE
)

_INNER = re.compile(
    r'  File "[^"]*/(?:(?:site|dist)-packages/(?:celery|billiard|kombu)/|'
    r"taskgate/(?:store|tasks)/(?!demo\.py))"
)


def print_task(task: Task, *, all_frames: bool = False) -> None:
    """Write the task to standard output; ``all_frames`` of its traceback, or the task's own."""
    write(_heading(task))
    for name, value in _rows(task):
        value.plain = value.plain.replace("\n", f"\n{_INDENT}")
        write((f"  {name:<11}", "dim"), value)
    if task.error is not None and task.error.traceback:
        traceback = task.error.traceback.rstrip()
        write((traceback if all_frames else without_inner_frames(traceback), "dim"))


def without_inner_frames(traceback: str) -> str:
    """The traceback without the frames of taskgate and Celery, if any other is left."""
    frames = _FRAME.findall(traceback)
    inner = [frame for frame in frames if _INNER.match(frame)]
    if not inner or len(inner) == len(frames):
        return traceback
    shown = _FRAME.sub(lambda match: "" if _INNER.match(match[0]) else match[0], traceback)
    return f"{shown}\n({len(inner)} frames of taskgate and Celery: see them with -v)"


def fields_of(task: Task, *, full: bool) -> dict[str, Any]:
    """The task for JSON, with the protos' names; without what lists leave out, unless ``full``."""
    fields = asdict(task)
    if full:
        return fields
    if fields["error"] is not None:
        del fields["error"]["traceback"]
    return {name: value for name, value in fields.items() if name not in _FULL_ONLY}


def state_text(state: State) -> Text:
    """A state in its colour."""
    return Text(state.value, style=STATE_STYLES.get(state, ""))


def arguments_text(task: Task) -> str:
    """Arguments as in a call: ``2, y=3``."""
    positional = [json_text(value) for value in task.args]
    return ", ".join([*positional, *(f"{_name(k)}={json_text(v)}" for k, v in task.kwargs.items())])


def _name(keyword: str) -> str:
    return keyword if keyword.isidentifier() else json_text(keyword)


def amount_text(progress: Progress) -> str:
    """How far a task says it is: ``3 of 10``."""
    return _of(progress.current, progress.total)


def _heading(task: Task) -> Text:
    heading = Text.assemble((task.task_type, "bold"), f"({arguments_text(task)}) ")
    return heading.append_text(state_text(task.state))


def _rows(task: Task) -> Iterator[tuple[str, Text]]:
    yield "id", Text(task.id)
    yield "queue", Text(f"{task.queue}, priority {task.priority}")
    if task.labels:
        yield "labels", Text(", ".join(f"{k}={v}" for k, v in sorted(task.labels.items())))
    if task.retry_of:
        yield "retry of", Text(task.retry_of)
    yield from _times(task)
    if task.attempt > 1:
        yield "attempt", Text(_of(task.attempt, task.max_attempts))
    if task.worker:
        yield "worker", Text(task.worker)
    yield from _outcome(task)


def _times(task: Task) -> Iterator[tuple[str, Text]]:
    yield "submitted", Text(local_time(task.create_time))
    if task.schedule_time:
        yield "due", Text(local_time(task.schedule_time))
    if task.start_time:
        yield "started", Text(local_time(task.start_time))
    if task.finish_time:
        yield "finished", Text(local_time(task.finish_time) + _took(task))


def _outcome(task: Task) -> Iterator[tuple[str, Text]]:
    if task.progress and not task.is_final:
        amount = amount_text(task.progress)
        yield "progress", Text(f"{amount} {task.progress.message}".rstrip())
    if task.abort:
        yield "abort", Text(_abort(task.abort))
    if task.error:
        yield "error", Text(str(task.error), style="red")
    if task.state is State.SUCCEEDED:
        yield "result", Text(json_text(task.result), style="bold")


def _abort(abort: Abort) -> str:
    by = f" by {abort.by}" if abort.by else ""
    reason = f": {abort.reason}" if abort.reason else ""
    return f"asked for {local_time(abort.request_time)}{by}{reason}"


def _of(part: float, whole: float | None) -> str:
    return f"{part:g}" if whole is None else f"{part:g} of {whole:g}"


def _took(task: Task) -> str:
    if task.start_time is None or task.finish_time is None:
        return ""
    return f" (ran {(task.finish_time - task.start_time).total_seconds():.2f} s)"
