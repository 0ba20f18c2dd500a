"""``taskgate retry``."""

from __future__ import annotations

import click

from taskgate.cli.arguments import parse_arguments
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.follow import Afterwards, shows_task
from taskgate.client import Client


@click.command(epilog=EXIT_CODES)
@click.argument("task_id", metavar="ID")
@click.argument("words", metavar="[ARG | NAME=VALUE]...", nargs=-1)
@click.option("--args", "args_json", metavar="JSON", help="Other positional arguments, a list.")
@click.option("--kwargs", "kwargs_json", metavar="JSON", help="Other keyword arguments, an object.")
@click.option("--request-id", help="Retrying again with the same id gives the same task.")
@shows_task
@calls_server
def command(
    client: Client,
    *,
    task_id: str,
    words: tuple[str, ...],
    args_json: str | None,
    kwargs_json: str | None,
    request_id: str | None,
    afterwards: Afterwards,
) -> None:
    """Run a task that has ended again, as a new task.

    It gets the same arguments, or all of those given here instead.

    \b
    taskgate retry ID --wait
    taskgate retry ID 2 4                  other arguments
    taskgate retry ID --args '[]'          no arguments at all
    """
    arguments = parse_arguments(words, args_json, kwargs_json)
    handle = client.task(task_id).retry(
        args=arguments.args, kwargs=arguments.kwargs, request_id=request_id
    )
    afterwards.show(handle)
