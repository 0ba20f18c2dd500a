"""``taskgate stats`` and ``taskgate queues``."""

from __future__ import annotations

from dataclasses import asdict

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.stats import QUEUES, TYPES, queue_rows, summary, type_rows
from taskgate.cli.output.tables import print_table
from taskgate.cli.output.terminal import write, write_json
from taskgate.client import Client, Stats


@click.command(epilog=EXIT_CODES)
@click.option(
    "--queue",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this queue, also if nothing is in it; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@calls_server
def stats(client: Client, *, names: tuple[str, ...], as_json: bool) -> None:
    """Say what is going on: how many tasks wait, for how long, and what happened lately.

    \b
    taskgate stats
    taskgate stats --queue mail --json | jq '.queues[0].activity.queued'
    """
    found = client.stats(names)
    if as_json:
        write_json(asdict(found))
    else:
        print_stats(found, with_types=not names)


def print_stats(found: Stats, *, with_types: bool = True) -> None:
    """Write what is going on to standard output."""
    write(summary(found))
    write("")
    print_table(QUEUES, queue_rows(found.queues))
    if found.types and with_types:
        write("")
        print_table(TYPES, type_rows(found))


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@calls_server
def queues(client: Client, *, as_json: bool) -> None:
    """List queues, by name: those of workers, task types and settings, and those with tasks.

    \b
    taskgate queues
    taskgate queues --json | jq -r '.queues[] | select(.worker_count == 0) | .name'
    """
    found = list(client.queues())
    if as_json:
        write_json({"queues": [asdict(queue) for queue in found]})
    else:
        print_table(QUEUES, queue_rows(found))
