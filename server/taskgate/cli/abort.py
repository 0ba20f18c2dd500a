"""``taskgate abort``."""

from __future__ import annotations

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.follow import Afterwards, shows_task
from taskgate.cli.seconds import SECONDS
from taskgate.client import Client


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@click.option("--reason", default="", help="Why; recorded with the task.")
@click.option("--force", is_flag=True, help="End the task's process if it does not stop by itself.")
@click.option("--grace", type=SECONDS, help="How long --force waits for that; 10s if not given.")
@shows_task
@calls_server
def command(
    client: Client,
    *,
    task_id: str,
    reason: str,
    force: bool,
    grace: float | None,
    afterwards: Afterwards,
) -> None:
    """Ask a task to stop.

    One that has not started never will. One that runs is told; it should look and stop by itself.
    With --wait: exit code 3 once it is ABORTED, 0 if it SUCCEEDED before it looked.

    \b
    taskgate abort ID --reason "wrong customer"
    taskgate abort ID --wait
    taskgate abort ID --force --grace 30s
    """
    if grace is not None and not force:
        raise click.UsageError("--grace needs --force")
    handle = client.task(task_id)
    handle.abort(reason, force=force, grace=grace)
    afterwards.show(handle)
