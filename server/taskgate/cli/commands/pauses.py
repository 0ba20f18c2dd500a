"""``taskgate pause``, ``resume`` and ``pauses``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.tables import Cell, Column, cut_end, cut_middle, print_table
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.output.times import since
from taskgate.client import Client, Pause

_COLUMNS = (
    Column("QUEUE", cut_end),
    Column("TYPE", cut_middle),
    Column("AGE"),
    Column("BY", cut_end),
    Column("REASON", cut_end),
)


def _of_one(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give the command the options that name a queue or a task type."""
    task_type = click.option("--type", "task_type", metavar="NAME", help="This task type.")
    queue = click.option("--queue", metavar="NAME", help="This queue.")
    return queue(task_type(command))


@click.command(epilog=EXIT_CODES)
@_of_one
@click.option("--reason", default="", help="Why; recorded with the pause.")
@calls_server
def pause(client: Client, *, queue: str | None, task_type: str | None, reason: str) -> None:
    """Have nothing new of a queue or a task type start; what runs goes on.

    Nothing in it is lost: what waits, retries and delayed tasks too, starts once it is resumed.

    \b
    taskgate pause --queue reports --reason "the warehouse moves"
    taskgate pause --type mail.send
    """
    _check_one(queue, task_type)
    paused = client.pause(queue=queue, task_type=task_type, reason=reason)
    write(f"{_name(queue, task_type)} is paused, since {since(paused.pause_time)}")


@click.command(epilog=EXIT_CODES)
@_of_one
@calls_server
def resume(client: Client, *, queue: str | None, task_type: str | None) -> None:
    """Have a queue or a task type that was paused go on.

    \b
    taskgate resume --queue reports
    taskgate resume --type mail.send
    """
    _check_one(queue, task_type)
    was_paused = client.resume(queue=queue, task_type=task_type)
    write(f"{_name(queue, task_type)} {'goes on' if was_paused else 'was not paused'}")


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@calls_server
def pauses(client: Client, *, as_json: bool) -> None:
    """List what is paused, since when, by whom and why.

    \b
    taskgate pauses
    taskgate pauses --json | jq -r '.pauses[].queue'
    """
    found = list(client.pauses())
    if as_json:
        write_json({"pauses": [asdict(one) for one in found]})
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(one: Pause) -> tuple[Cell, ...]:
    return (one.queue, one.task_type, since(one.pause_time), one.by, one.reason)


def _check_one(queue: str | None, task_type: str | None) -> None:
    if (queue is None) == (task_type is None):
        raise click.UsageError("give --queue or --type")


def _name(queue: str | None, task_type: str | None) -> str:
    return f"queue {queue}" if task_type is None else f"type {task_type}"
