"""Watching many tasks: live bars in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import TaskID
from rich.text import Text

from taskgate.cli.as_json import fields_of, line_as_json
from taskgate.cli.bars import TextColumn, bars, drawn
from taskgate.cli.render import amount_text, clean, state_text
from taskgate.cli.spans import span
from taskgate.client import Client, State, Task, WaitTimeout

_MOST_AT_ONCE = 1_000
"""What a server takes in one watch; what is more is watched afterwards."""


class _Show(ABC):
    """Shows each task that it is to see; cleans up at the end, if there is anything to."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027 - a terminal alone is to be restored
        pass

    @abstractmethod
    def see(self, task: Task) -> None: ...


def watch_all(
    client: Client, ids: Sequence[str], *, timeout: float | None, as_json: bool
) -> list[State]:
    """Show the tasks until all have ended; the states that they ended in.

    Raises:
        WaitTimeout: not all had ended when the time was over.
        TaskgateError: the call was refused.
    """
    ends: list[State] = []
    try:
        with _show(len(ids), as_json=as_json) as show:
            for task in _tasks(client, ids, timeout, full=as_json):
                show.see(task)
                if task.is_final:
                    ends.append(task.state)
    except WaitTimeout as late:
        left = len(ids) - len(ends)
        who = f"task {ids[0]} has" if len(ids) == 1 else f"{left} of {len(ids)} tasks have"
        raise WaitTimeout(f"{who} not ended in {timeout:g} s") from late
    return ends


def _tasks(
    client: Client, ids: Sequence[str], timeout: float | None, *, full: bool
) -> Iterator[Task]:
    end = None if timeout is None else time.monotonic() + timeout
    for first in range(0, len(ids), _MOST_AT_ONCE):
        left = None if end is None else max(end - time.monotonic(), 0.0)
        yield from client.watch(ids[first : first + _MOST_AT_ONCE], timeout=left, full=full)


def _show(number: int, *, as_json: bool) -> _Show:
    if as_json:
        return _Json()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    return _Bars(console, number) if console.is_terminal else _Lines()


class _Json(_Show):
    def see(self, task: Task) -> None:
        click.echo(line_as_json(fields_of(task, full=True)))


class _Lines(_Show):
    """A line for each change that says something new; progress alone does not."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, ...]] = {}

    def see(self, task: Task) -> None:
        news = (task.state, task.attempt, task.progress and task.progress.message)
        if self._seen.get(task.id) != news:
            self._seen[task.id] = news
            click.echo(f"{datetime.now().astimezone():%H:%M:%S} {_line(task).plain}")


class _Bars(_Show):
    """A bar for each task under way, a line for each that has ended, and how many those are."""

    def __init__(self, console: Console, number: int) -> None:
        self._console = console
        self._number = number
        self._ended = 0
        self._progress = bars(console, TextColumn("task"))
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        self._total = self._progress.add_task("", **self._all())
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def see(self, task: Task) -> None:
        if task.is_final:
            self._end(task)
        elif task.id in self._rows:
            self._progress.update(self._rows[task.id], **drawn(task))
        else:
            name = Text(clean(f"{task.id} {task.task_type}"), style="dim")
            self._rows[task.id] = self._progress.add_task("", task=name, **drawn(task))

    def _end(self, task: Task) -> None:
        self._console.print(_line(task))
        if task.id in self._rows:
            self._progress.remove_task(self._rows.pop(task.id))
        self._ended += 1
        self._progress.update(self._total, **self._all())

    def _all(self) -> dict[str, Any]:
        return {
            "task": Text("all"),
            "completed": self._ended,
            "total": self._number,
            "state": Text("ENDED", style="bold"),
            "amount": Text(f"{self._ended} of {self._number}"),
            "message": Text(),
        }


def _line(task: Task) -> Text:
    line = Text.assemble((task.id, "dim"), " ", (clean(task.task_type), "bold"), " ")
    line.append_text(state_text(task.state))
    if task.is_final and task.start_time and task.finish_time:
        line.append(f" ({span((task.finish_time - task.start_time).total_seconds())})")
    if task.error is not None:
        line.append(f" {clean(str(task.error))}".replace("\n", " "), style="red")
    elif task.progress is not None and not task.is_final:
        said = clean(task.progress.message).replace("\n", " ")
        line.append(f" {amount_text(task.progress)} {said}".rstrip())
    return line
