"""``taskgate workers``."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.text import Text

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.tables import Cell, Column, cut_end, print_table
from taskgate.cli.output.terminal import write_json
from taskgate.cli.output.times import since
from taskgate.client import Client, Worker, WorkerState

_COLUMNS = (
    Column("ID"),
    Column("STATE"),
    Column("QUEUES", cut_end),
    Column("POOL", optional=True),
    Column("RUNNING"),
    Column("AGE", optional=True),
    Column("HOST", cut_end, optional=True),
    Column("PID", optional=True),
)
_STYLES = {WorkerState.ALIVE: "green", WorkerState.LOST: "red"}


@click.command(epilog=EXIT_CODES)
@click.option("--alive", "alive_only", is_flag=True, help="Only those at work.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@calls_server
def command(client: Client, *, alive_only: bool, as_json: bool) -> None:
    """List workers, the newest first: those at work, and those that stopped or died lately.

    \b
    taskgate workers
    taskgate workers --alive --json | jq -r '.workers[].id'
    """
    workers = list(client.workers(alive_only=alive_only))
    if as_json:
        write_json({"workers": [asdict(worker) for worker in workers]})
    else:
        print_table(_COLUMNS, map(_row, workers))


def _row(worker: Worker) -> tuple[Cell, ...]:
    return (
        worker.id,
        _state(worker),
        ",".join(worker.queues),
        worker.pool,
        f"{worker.active_tasks}/{worker.concurrency}",
        since(worker.start_time),
        worker.host,
        str(worker.pid),
    )


def _state(worker: Worker) -> Text:
    text = Text(worker.state.value, style=_STYLES.get(worker.state, ""))
    if worker.state is not WorkerState.ALIVE:
        text.append(f" {since(worker.stop_time or worker.lease_expire_time)} ago", style="dim")
    return text
