"""``taskgate watch``: live bars in a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Self

import click
from rich.cells import cell_len
from rich.console import Console
from rich.progress import TaskID
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES, exit_code
from taskgate.cli.ids import short_ids, whole_id
from taskgate.cli.output.bars import TextColumn, bar_fields, bars, name_width
from taskgate.cli.output.tables import cut_middle
from taskgate.cli.output.task import amount_text, fields_of, state_text
from taskgate.cli.output.terminal import console, one_line, safe, safe_text, write, write_json
from taskgate.cli.output.times import span
from taskgate.cli.times import SECONDS
from taskgate.client import Client, State, Task, WaitTimeout

_MOST_AT_ONCE = 1_000
"""What a server takes in one watch; what is more is watched afterwards."""

_SHORTEST_TYPE = 11
_OUTCOME_WIDTH = 20
"""A state, and how long it took."""


@click.command(epilog=EXIT_CODES)
@click.argument("task_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--timeout", type=SECONDS, help="Watch no longer than this, for example 30s.")
@click.option("--json", "as_json", is_flag=True, help="Print each newer version as a line of JSON.")
@calls_server
def command(
    client: Client, *, task_ids: tuple[str, ...], timeout: float | None, as_json: bool
) -> None:
    """Watch tasks until all of them have ended; - reads ids from standard input.

    A terminal shows a bar for each. Anything else gets a line whenever a task changes. The server
    may restart meanwhile. The exit code is 0 if all SUCCEEDED, 1 if one FAILED.

    \b
    taskgate watch ID ID ID
    taskgate list --state RUNNING --quiet | taskgate watch -
    taskgate watch ID --json | jq -c '[.state, .progress]'
    """
    ids = [whole_id(client, word) for word in _ids(task_ids)]
    if not ids:
        return
    # Asked once without patience: a wrong address is told at once, a restart later is waited out.
    client.task(ids[0]).get()
    try:
        ends = watch_all(client, ids, timeout=timeout, as_json=as_json)
    except KeyboardInterrupt:
        write("The tasks go on.", err=True)
        raise click.exceptions.Exit(exits.INTERRUPTED) from None
    raise click.exceptions.Exit(exit_code(ends))


def _ids(words: tuple[str, ...]) -> list[str]:
    ids: dict[str, None] = {}  # in their order, each once
    for word in words:
        found = sys.stdin.read().split() if word == "-" else [word]
        ids.update(dict.fromkeys(found))
    return list(ids)


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
        with _view(ids, as_json=as_json) as view:
            for task in _tasks(client, ids, timeout, full=as_json):
                view.update(task)
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


def _view(ids: Sequence[str], *, as_json: bool) -> _View:
    if as_json:
        return _Json()
    out = console()
    return _Bars(out, ids) if out.is_terminal else _Lines()


class _View(ABC):
    """Shows each task that it is to see; cleans up at the end, if there is anything to."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027 - a terminal alone is to be restored
        pass

    @abstractmethod
    def update(self, task: Task) -> None: ...


class _Json(_View):
    def update(self, task: Task) -> None:
        write_json(fields_of(task, full=True))


class _Lines(_View):
    """A line for each change that says something new; progress alone does not."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, ...]] = {}

    def update(self, task: Task) -> None:
        news = (task.state, task.attempt, task.progress and task.progress.message)
        if self._seen.get(task.id) != news:
            self._seen[task.id] = news
            write(f"{datetime.now().astimezone():%H:%M:%S} {_line(task).plain}")


class _Bars(_View):
    """A bar for each task under way, a line for each that has ended, and how many those are."""

    def __init__(self, out: Console, ids: Sequence[str]) -> None:
        self._out = out
        self._number = len(ids)
        self._ended = 0
        self._short_ids = short_ids(ids)
        self._progress = bars(out, TextColumn("task"))
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        self._total = self._progress.add_task("", **self._all())
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, task: Task) -> None:
        if task.is_final:
            self._end(task)
        elif task.id in self._rows:
            self._progress.update(self._rows[task.id], **bar_fields(task))
        else:
            name = self._name(task, name_width(self._out))
            self._rows[task.id] = self._progress.add_task("", task=name, **bar_fields(task))

    def _end(self, task: Task) -> None:
        line = self._name(task, self._out.width - _OUTCOME_WIDTH).append(" ")
        line = safe_text(line.append_text(_outcome(task)))
        line.truncate(self._out.width, overflow="ellipsis")
        self._out.print(line)
        if task.id in self._rows:
            self._progress.remove_task(self._rows.pop(task.id))
        self._ended += 1
        self._progress.update(self._total, **self._all())

    def _name(self, task: Task, width: int) -> Text:
        """Id and type, in at most so many cells: a short id, then a cut type if they are few."""
        task_type = safe(one_line(task.task_type))
        shown = task.id if len(task.id) + 1 + cell_len(task_type) <= width else self._short(task)
        task_type = cut_middle(task_type, max(width - len(shown) - 1, _SHORTEST_TYPE))
        return Text.assemble((shown, "dim"), " ", (task_type, "bold"))

    def _short(self, task: Task) -> str:
        return self._short_ids.get(task.id, task.id)

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
    line = Text.assemble((task.id, "dim"), " ", (one_line(task.task_type), "bold"), " ")
    return line.append_text(_outcome(task))


def _outcome(task: Task) -> Text:
    line = state_text(task.state)
    if task.is_final and task.start_time and task.finish_time:
        line.append(f" ({span((task.finish_time - task.start_time).total_seconds())})")
    if task.error is not None:
        line.append(f" {one_line(str(task.error))}", style="red")
    elif task.progress is not None and not task.is_final:
        line.append(f" {amount_text(task.progress)} {one_line(task.progress.message)}".rstrip())
    return line
