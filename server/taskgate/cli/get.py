"""``taskgate get``."""

from __future__ import annotations

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.follow import Afterwards, shows_task
from taskgate.client import Client


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@shows_task
@calls_server
def command(client: Client, *, task_id: str, afterwards: Afterwards) -> None:
    """Show a task; with --wait, once it has ended.

    \b
    taskgate get 01990000-0000-7000-8000-000000000000
    taskgate get ID --wait && echo succeeded
    taskgate get ID --timeout 30s
    taskgate get ID --json | jq .result
    """
    afterwards.show(client.task(task_id))
