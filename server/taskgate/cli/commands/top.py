"""``taskgate top``."""

from __future__ import annotations

import time

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from taskgate.cli.commands.stats import print_stats
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.stats import QUEUES, TYPES, queue_rows, summary, type_rows
from taskgate.cli.output.tables import table_within
from taskgate.cli.output.terminal import console
from taskgate.client import Client, Stats, Unavailable

_FRAME_LINES = 7
"""Those above and between the tables."""


@click.command(epilog=EXIT_CODES)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait between two looks.",
)
@calls_server
def command(client: Client, *, interval: float) -> None:
    """Show what is going on, live, until Ctrl-C. In a pipe: once.

    \b
    taskgate top
    """
    out = console()
    if not out.is_terminal:
        print_stats(client.stats())
        return
    with Live(_screen(client.stats(), out), console=out, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(interval)
            live.update(_next(client, out), refresh=True)


def _next(client: Client, out: Console) -> RenderableType:
    """The screen as it is now; a server that is away comes back."""
    try:
        return _screen(client.stats(), out)
    except Unavailable as error:
        return Text(f"{client.target} does not answer: {error.message}", style="red")


def _screen(stats: Stats, out: Console) -> RenderableType:
    room = max(out.height - _FRAME_LINES, 2)
    queues, types = list(queue_rows(stats.queues)), list(type_rows(stats))
    queues = queues[: max(room // 2, room - len(types))]
    types = types[: room - len(queues)]
    return Group(
        summary(stats),
        Text(),
        table_within(out.width, QUEUES, queues),
        Text(),
        table_within(out.width, TYPES, types),
    )
