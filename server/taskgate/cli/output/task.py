"""A task for people to read."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from taskgate.cli.output.text import clean, json_text, local_time
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


def print_task(task: Task) -> None:
    """Write the task to standard output."""
    # Written as it is: a task's text may look like markup, and a pipe has no width to wrap at.
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(_heading(task))
    for name, value in _rows(task):
        console.print(Text.assemble((f"  {name:<11}", "dim"), value))
    if task.error is not None and task.error.traceback:
        console.print(Text(clean(task.error.traceback).rstrip(), style="dim"))


def state_text(state: State) -> Text:
    """A state in its colour."""
    return Text(state.value, style=STATE_STYLES.get(state, ""))


def arguments_text(task: Task) -> str:
    """Arguments as in a call: ``2, y=3``."""
    positional = [json_text(value) for value in task.args]
    return ", ".join([*positional, *(f"{k}={json_text(v)}" for k, v in task.kwargs.items())])


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
        yield "labels", Text(clean(", ".join(f"{k}={v}" for k, v in sorted(task.labels.items()))))
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
        yield "progress", Text(clean(f"{amount} {task.progress.message}").rstrip())
    if task.abort:
        yield "abort", Text(clean(_abort(task.abort)))
    if task.error:
        yield "error", Text(clean(str(task.error)), style="red")
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
