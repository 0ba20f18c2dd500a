"""``taskgate count``."""

from __future__ import annotations

from dataclasses import asdict

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.filters import takes_filter
from taskgate.cli.output.tables import Column, print_table
from taskgate.cli.output.terminal import write, write_json
from taskgate.client import Client, TaskFilter

_BY = {"state": "state", "type": "task_type", "queue": "queue"}


@click.command(epilog=EXIT_CODES)
@takes_filter
@click.option("--by", type=click.Choice([*_BY]), help="Apart by this, too.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@calls_server
def command(
    client: Client,
    *,
    chosen: TaskFilter,
    by: str | None,
    as_json: bool,
) -> None:
    """Count tasks. Beyond 100,000 it may be the database's estimate, and says so.

    \b
    taskgate count --state FAILED --since 2h
    taskgate count --label team=web --by state
    """
    found = client.count(chosen, by=None if by is None else _BY[by])  # type: ignore[arg-type] # one of its words
    if as_json:
        write_json(asdict(found))
        return
    write(_number(found.tasks, found.estimated))
    if by is not None:
        rows = [(name, _number(one.tasks, one.estimated)) for name, one in found.groups.items()]
        print_table((Column(by.upper()), Column("TASKS")), rows)


def _number(tasks: int, estimated: bool) -> str:
    return f"{'about ' if estimated else ''}{tasks:,}"
