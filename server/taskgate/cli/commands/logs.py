"""``taskgate logs``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.ids import whole_id
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.output.times import local_time
from taskgate.client import Client, LogLine

_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red", "DEBUG": "dim"}


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@click.option("-f", "--follow", is_flag=True, help="Go on until the task has ended, or Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print each line as a line of JSON.")
@calls_server
def command(client: Client, *, task_id: str, follow: bool, as_json: bool) -> None:
    """Show what a task has logged and printed, in all of its attempts.

    Of each attempt the newest lines are kept, of the levels that the worker logs.

    \b
    taskgate logs ID
    taskgate logs ID --follow
    taskgate logs ID --json | jq -r 'select(.level == "ERROR") | .message'
    """
    lines = client.task(whole_id(client, task_id)).logs(follow=follow)
    try:
        if as_json:
            for line in lines:
                write_json(asdict(line))
        else:
            for text in _texts(lines):
                write(text)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(exits.INTERRUPTED) from None


def _texts(lines: Iterable[LogLine]) -> Iterator[Text]:
    """The lines, and a heading where another attempt begins or lines are missing."""
    attempt, number = 1, 0
    for line in lines:
        if line.attempt != attempt:
            attempt, number = line.attempt, 0
            yield Text(f"attempt {attempt}:", style="dim")
        if line.number != number + 1:
            yield Text(f"… {line.number - number - 1} older lines are not kept", style="dim")
        number = line.number
        yield Text.assemble(
            (local_time(line.time), "dim"),
            " ",
            (line.level, _STYLES.get(line.level, "")),
            f" {line.logger}: {line.message}",
        )
