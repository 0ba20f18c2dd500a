"""Waiting for a task in a terminal, with a bar that shows how far it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from taskgate.cli import exits
from taskgate.cli.exits import exit_code
from taskgate.cli.output.bars import bar_fields, bars
from taskgate.cli.output.task import fields_of, print_task
from taskgate.cli.output.terminal import console, write, write_json
from taskgate.cli.times import SECONDS
from taskgate.client import Task, TaskHandle

VERBOSE = "Show all of a traceback, with the frames of taskgate and Celery."


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """What the user wants to see of the task once the call was answered."""

    wait: bool
    timeout: float | None
    as_json: bool
    quiet: bool
    verbose: bool

    def show(self, handle: TaskHandle) -> None:
        """Show the task; if it is waited for, exit as it ended.

        Raises:
            WaitTimeout: it has not ended in time.
            click.exceptions.Exit: with the code that tells how it ended.
        """
        if not self.wait and self.timeout is None:
            self._print(handle.latest or handle.get())
            return
        task = _follow(handle, self.timeout)
        self._print(task)
        raise click.exceptions.Exit(exit_code([task.state]))

    def _print(self, task: Task) -> None:
        if self.quiet:
            write(task.id)
        elif self.as_json:
            write_json(fields_of(task, full=True), indent=2)
        else:
            print_task(task, all_frames=self.verbose)


_OPTIONS = (
    # Not `--wait [SECONDS]`: in `submit demo.add --wait 2 3` the 2 would be taken for seconds.
    click.option("--wait", is_flag=True, help="Wait until the task has ended."),
    click.option(
        "--timeout",
        type=SECONDS,
        help="Wait no longer than this, for example 30s; implies --wait.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the task as JSON."),
    click.option("-q", "--quiet", is_flag=True, help="Print only the task's id."),
    click.option("-v", "--verbose", is_flag=True, help=VERBOSE),
)


def prints_task(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options to wait and to print, and a TaskOutput named ``output``."""

    @functools.wraps(command)
    def with_output(*arguments: Any, **options: Any) -> Any:
        wanted = {field.name: options.pop(field.name) for field in fields(TaskOutput)}
        return command(*arguments, output=TaskOutput(**wanted), **options)

    return functools.reduce(lambda done, option: option(done), reversed(_OPTIONS), with_output)


def _follow(handle: TaskHandle, timeout: float | None) -> Task:
    # Asked once without patience: a wrong address is told at once, a restart later is waited out.
    task = handle.latest or handle.get()
    try:
        with bars(console(err=True)) as progress:
            bar = progress.add_task("", **bar_fields(task))
            for task in handle.watch(timeout):
                progress.update(bar, **bar_fields(task))
    except KeyboardInterrupt:
        write(f"The task goes on: see it with `taskgate get {handle.id}`.", err=True)
        raise click.exceptions.Exit(exits.INTERRUPTED) from None
    return task
