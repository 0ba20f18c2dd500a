"""``taskgate watch``."""

from __future__ import annotations

import sys

import click

from taskgate.cli import exits
from taskgate.cli.connection import calls_server
from taskgate.cli.ends import exit_code
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.seconds import SECONDS
from taskgate.cli.watching import watch_all
from taskgate.client import Client


@click.command(epilog=EXIT_CODES)
@click.argument("task_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--timeout", type=SECONDS, help="Watch no longer than this, for example 30s.")
@click.option("--json", "as_json", is_flag=True, help="Print each newer version as a line of JSON.")
@calls_server
def command(
    client: Client, *, task_ids: tuple[str, ...], timeout: float | None, as_json: bool
) -> None:
    """Watch tasks until all of them have ended; - reads ids from standard input.

    A terminal shows a bar for each. Anything else gets a line whenever a task changes. The server
    may restart meanwhile. The exit code is 0 if all SUCCEEDED, 1 if one FAILED.

    \b
    taskgate watch ID ID ID
    taskgate list --state RUNNING --quiet | taskgate watch -
    taskgate watch ID --json | jq -c '[.state, .progress]'
    """
    ids = _ids(task_ids)
    if not ids:
        return
    # Asked once without patience: a wrong address is told at once, a restart later is waited out.
    client.task(ids[0]).get()
    try:
        ends = watch_all(client, ids, timeout=timeout, as_json=as_json)
    except KeyboardInterrupt:
        click.echo("The tasks go on.", err=True)
        raise click.exceptions.Exit(exits.INTERRUPTED) from None
    raise click.exceptions.Exit(exit_code(ends))


def _ids(words: tuple[str, ...]) -> list[str]:
    ids: dict[str, None] = {}  # in their order, each once
    for word in words:
        found = sys.stdin.read().split() if word == "-" else [word]
        ids.update(dict.fromkeys(found))
    return list(ids)
