"""Waiting for a task in a terminal, with a bar that shows how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TimeElapsedColumn
from rich.progress import Task as Bar
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.render import amount_text, clean, show, state_text
from taskgate.cli.seconds import SECONDS
from taskgate.client import State, Task, TaskHandle

_EXIT_CODES = {
    State.SUCCEEDED: exits.OK,
    State.FAILED: exits.FAILED,
    State.ABORTED: exits.NOT_RUN,
    State.EXPIRED: exits.NOT_RUN,
}


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, and ``--wait`` and ``--timeout``."""
    # Not `--wait [SECONDS]`: in `submit demo.add --wait 2 3` the 2 would be taken for seconds.
    wait = click.option("--wait", is_flag=True, help="Wait until the task has ended.")
    timeout = click.option(
        "--timeout",
        type=SECONDS,
        help="Wait no longer than this, for example 30s; implies --wait.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the task as JSON.")
    return wait(timeout(as_json(command)))


def show_and_exit(handle: TaskHandle, *, wait: bool, timeout: float | None, as_json: bool) -> None:
    """Show the task as it is; or, if that is asked for, as it ended, and exit accordingly."""
    if not wait and timeout is None:
        show(handle.latest or handle.get(), as_json=as_json)
        return
    task = _follow(handle, timeout)
    show(task, as_json=as_json)
    raise click.exceptions.Exit(_EXIT_CODES[task.state])


def _follow(handle: TaskHandle, timeout: float | None) -> Task:
    # Asked once without patience: a wrong address is told at once, a restart later is waited out.
    task = handle.latest or handle.get()
    try:
        with _bar() as progress:
            bar = progress.add_task("", **_drawn(task))
            for task in handle.watch(timeout):
                progress.update(bar, **_drawn(task))
    except KeyboardInterrupt:
        click.echo(f"The task goes on: see it with `taskgate get {handle.id}`.", err=True)
        raise click.exceptions.Exit(exits.INTERRUPTED) from None
    return task


class _TextColumn(ProgressColumn):
    """A text of the bar's own, never read as markup: it can come from the task."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self._field = field

    def render(self, task: Bar) -> Text:
        text: Text = task.fields[self._field]
        return text


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        _TextColumn("state"),
        BarColumn(bar_width=30),
        _TextColumn("amount"),
        TimeElapsedColumn(),
        _TextColumn("message"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _drawn(task: Task) -> dict[str, Any]:
    """What the bar shows of a task; without a total it only moves."""
    progress = task.progress
    return {
        "completed": progress.current if progress else 0,
        "total": progress.total if progress else None,
        "state": state_text(task.state),
        "amount": Text(amount_text(progress) if progress else ""),
        "message": Text(clean(progress.message) if progress else ""),
    }
