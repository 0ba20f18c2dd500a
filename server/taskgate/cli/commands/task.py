"""``taskgate get``, ``retry`` and ``abort``: the commands about one task."""

from __future__ import annotations

import click

from taskgate.cli.arguments import parse_arguments
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.ids import whole_id
from taskgate.cli.output.follow import TaskOutput, prints_task
from taskgate.cli.times import SECONDS
from taskgate.client import Client


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@prints_task
@calls_server
def get(client: Client, *, task_id: str, output: TaskOutput) -> None:
    """Show a task; with --wait, once it has ended.

    \b
    taskgate get 01990000-0000-7000-8000-000000000000
    taskgate get ID --wait && echo succeeded
    taskgate get ID --timeout 30s
    taskgate get ID --json | jq .result
    """
    output.show(client.task(whole_id(client, task_id)))


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@click.argument("words", metavar="[ARG | NAME=VALUE]...", nargs=-1)
@click.option("--args", "args_json", metavar="JSON", help="Other positional arguments, a list.")
@click.option("--kwargs", "kwargs_json", metavar="JSON", help="Other keyword arguments, an object.")
@click.option("--request-id", help="Retrying again with the same id gives the same task.")
@prints_task
@calls_server
def retry(
    client: Client,
    *,
    task_id: str,
    words: tuple[str, ...],
    args_json: str | None,
    kwargs_json: str | None,
    request_id: str | None,
    output: TaskOutput,
) -> None:
    """Run a task that has ended again, as a new task.

    It gets the same arguments, or all of those given here instead.

    \b
    taskgate retry ID --wait
    taskgate retry ID 2 4                  other arguments
    taskgate retry ID --args '[]'          no arguments at all
    """
    arguments = parse_arguments(words, args_json, kwargs_json)
    handle = client.task(whole_id(client, task_id)).retry(
        args=arguments.args, kwargs=arguments.kwargs, request_id=request_id
    )
    output.show(handle)


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@click.option("--reason", default="", help="Why; recorded with the task.")
@click.option("--force", is_flag=True, help="End the task's process if it does not stop by itself.")
@click.option("--grace", type=SECONDS, help="How long --force waits for that; 10s if not given.")
@prints_task
@calls_server
def abort(
    client: Client,
    *,
    task_id: str,
    reason: str,
    force: bool,
    grace: float | None,
    output: TaskOutput,
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
    handle = client.task(whole_id(client, task_id))
    handle.abort(reason, force=force, grace=grace)
    output.show(handle)
