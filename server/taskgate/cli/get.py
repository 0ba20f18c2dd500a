"""``taskgate get``."""

from __future__ import annotations

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.follow import output_options, show_and_exit
from taskgate.client import Client


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@output_options
@calls_server
def command(
    client: Client, *, task_id: str, wait: bool, timeout: float | None, as_json: bool
) -> None:
    """Show a task; with --wait, once it has ended.

    \b
    taskgate get 01990000-0000-7000-8000-000000000000
    taskgate get ID --wait && echo succeeded
    taskgate get ID --timeout 30s
    taskgate get ID --json | jq .result
    """
    show_and_exit(client.task(task_id), wait=wait, timeout=timeout, as_json=as_json)
