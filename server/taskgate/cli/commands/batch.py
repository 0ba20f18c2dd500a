"""``taskgate submit --batch``: a task for each line of JSON."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import click
from rich.progress import BarColumn, Progress, TimeElapsedColumn
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.commands.batch_lines import Line, Malformed, read_lines
from taskgate.cli.commands.watch import watch_all
from taskgate.cli.exits import exit_code
from taskgate.cli.output.bars import TextColumn
from taskgate.cli.output.errors import fields_of_error
from taskgate.cli.output.follow import TaskOutput
from taskgate.cli.output.task import fields_of
from taskgate.cli.output.terminal import console, write, write_json
from taskgate.client import Client, Submission, TaskgateError, TaskHandle

_AT_ONCE = 500
"""Lines submitted together."""


def submit_batch(client: Client, source: BinaryIO, output: TaskOutput) -> None:
    """Submit a task for each line, and say what became of each.

    Raises:
        TaskgateError: the server is away, or refuses to talk to us at all.
        WaitTimeout: the tasks were waited for, and not all of them have ended in time.
        click.exceptions.Exit: with the code for refused lines, or for how the tasks ended.
    """
    report = _Report(output)
    _submit_all(client, source, report)
    report.end()
    ends = []
    if report.ids and (output.wait or output.timeout is not None):
        ends = watch_all(client, report.ids, timeout=output.timeout, as_json=output.as_json)
    raise click.exceptions.Exit(exits.REFUSED if report.refused else exit_code(ends))


class _Report:
    """What became of the lines so far."""

    def __init__(self, output: TaskOutput) -> None:
        self._as_json = output.as_json
        self._quiet = output.quiet
        self.ids: list[str] = []
        self.refused = 0
        self.last = 0
        """The last line that was answered."""

    @property
    def summary(self) -> str:
        return f"{len(self.ids)} submitted, {self.refused} refused"

    def add(self, line: Line, outcome: TaskHandle | TaskgateError | Malformed) -> None:
        self.last = line.number
        if isinstance(outcome, TaskHandle):
            self.ids.append(outcome.id)
            self._print_task(line, outcome)
        else:
            self.refused += 1
            self._print_refusal(line, outcome)

    def end(self) -> None:
        if not self._quiet:
            write(f"{self.summary}.", err=True)

    def _print_task(self, line: Line, handle: TaskHandle) -> None:
        if not self._as_json:
            write(handle.id)
        elif handle.latest is not None:
            task = fields_of(handle.latest, full=False)
            write_json({"line": line.number, "task": task})

    def _print_refusal(self, line: Line, error: TaskgateError | Malformed) -> None:
        if self._as_json:
            write_json({"line": line.number, "error": _error_fields(error)})
        else:
            write(f"line {line.number}: {_describe(error)}", err=True)


def _submit_all(client: Client, source: BinaryIO, report: _Report) -> None:
    length = _length(source)
    with _bar() as progress:
        bar = progress.add_task("", total=length, said=Text())
        try:
            for lines in _chunks(read_lines(source)):
                _submit(client, lines, report)
                done = source.tell() if length else 0
                progress.update(bar, completed=done, said=Text(report.summary))
        except TaskgateError:
            write(f"{report.summary}, none after line {report.last}.", err=True)
            raise


def _submit(client: Client, lines: list[Line], report: _Report) -> None:
    submissions = [line.meant for line in lines if isinstance(line.meant, Submission)]
    outcomes = iter(client.submit_many(submissions))
    for line in lines:
        report.add(line, line.meant if isinstance(line.meant, Malformed) else next(outcomes))


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _length(source: BinaryIO) -> int | None:
    """In bytes; None if that cannot be known, as of a pipe."""
    status = os.fstat(source.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _bar() -> Progress:
    out = console(err=True)
    return Progress(
        BarColumn(bar_width=30),
        TextColumn("said"),
        TimeElapsedColumn(),
        console=out,
        disable=not out.is_terminal,
        transient=True,
        # What goes into a pipe stays there; what goes to the terminal goes above the bar.
        redirect_stdout=sys.stdout.isatty(),
    )


def _describe(error: TaskgateError | Malformed) -> str:
    if isinstance(error, Malformed):
        return error.message
    wrong = "; ".join(f"{v.field}: {v.description}" for v in error.violations)
    return f"{wrong or error.message} ({error.reason or error.code.name})"


def _error_fields(error: TaskgateError | Malformed) -> dict[str, object]:
    if isinstance(error, TaskgateError):
        return fields_of_error(error)
    return {
        "code": "INVALID_ARGUMENT",
        "reason": "LINE_MALFORMED",
        "message": error.message,
        "violations": [],
    }
