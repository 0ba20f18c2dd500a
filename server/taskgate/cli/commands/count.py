"""``taskgate count``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from taskgate.cli.arguments import parse_labels
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.tables import Column, print_table
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.times import WHEN
from taskgate.client import Client, State, TaskFilter

_STATES = [state.value for state in State if state is not State.UNSPECIFIED]
_BY = {"state": "state", "type": "task_type", "queue": "queue"}


@click.command(epilog=EXIT_CODES)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES, case_sensitive=False),
    help="In this state; repeatable.",
)
@click.option("--type", "task_types", multiple=True, help="Of this task type; repeatable.")
@click.option("--queue", "queues", multiple=True, help="In this queue; repeatable.")
@click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, help="With this label.")
@click.option("--since", "created_from", type=WHEN, help="Submitted then or later: 2h.")
@click.option("--before", "created_before", type=WHEN, help="Submitted before then.")
@click.option("--by", type=click.Choice([*_BY]), help="Apart by this, too.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@calls_server
def command(
    client: Client,
    *,
    states: tuple[str, ...],
    task_types: tuple[str, ...],
    queues: tuple[str, ...],
    labels: tuple[str, ...],
    created_from: datetime | None,
    created_before: datetime | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Count tasks. Beyond 100,000 it may be the database's estimate, and says so.

    \b
    taskgate count --state FAILED --since 2h
    taskgate count --label team=web --by state
    """
    chosen = TaskFilter(
        states=[State(state) for state in states],
        task_types=task_types,
        queues=queues,
        labels=parse_labels(labels),
        created_from=created_from,
        created_before=created_before,
    )
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
