"""``taskgate bulk`` and ``operations``: work on many tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any

import click

from taskgate.cli import exits
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.filters import takes_filter
from taskgate.cli.output.tables import Cell, Column, cut_end, print_table
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.output.times import since
from taskgate.client import Begun, Client, Operation, OperationState, TaskFilter

_COLUMNS = (
    Column("ID", is_id=True),
    Column("KIND"),
    Column("STATE"),
    Column("DONE"),
    Column("AGE"),
    Column("OUTCOMES", cut_end),
    Column("BY", cut_end, optional=True),
)


@dataclass(frozen=True, slots=True)
class _Order:
    """What the options of a bulk command say."""

    chosen: TaskFilter | tuple[str, ...]
    rate: float
    dry_run: bool
    wait: bool
    as_json: bool


def _takes_order(command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def call(
        client: Client,
        *,
        ids: tuple[str, ...],
        want_all: bool,
        chosen: TaskFilter,
        rate: float,
        dry_run: bool,
        wait: bool,
        as_json: bool,
        **more: Any,
    ) -> None:
        if bool(ids) == (want_all or chosen != TaskFilter()):
            raise click.UsageError("give IDs or filters; --all for all tasks")
        command(client, _Order(ids or chosen, rate, dry_run, wait, as_json), **more)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


_OPTIONS = (
    click.argument("ids", metavar="[ID]...", nargs=-1),
    click.option("--all", "want_all", is_flag=True, help="All tasks."),
    takes_filter,
    click.option("--rate", type=click.FloatRange(min=0), default=0, help="Tasks a second at most."),
    click.option("--dry-run", is_flag=True, help="Only say how many there are, and show some."),
    click.option("--wait", is_flag=True, help="Return when all is done."),
    click.option("--json", "as_json", is_flag=True, help="Print it as JSON."),
)


@click.group()
def command() -> None:
    """Abort, retry or delete many tasks: those that fit when the command is called.

    \b
    taskgate bulk abort --queue reports --reason "wrong month" --dry-run
    taskgate bulk retry --type mail.send --since 2h --wait
    taskgate bulk delete --state SUCCEEDED --before 2026-11-01
    """


@command.command(epilog=EXIT_CODES)
@click.option("--reason", default="", help="Why; recorded with each task.")
@calls_server
@_takes_order
def abort(client: Client, order: _Order, *, reason: str) -> None:
    """Abort tasks: without --state those that have not ended.

    \b
    taskgate bulk abort --queue reports --reason "wrong month" --wait
    """
    _show(client, order, client.abort_tasks(reason=reason, **_arguments(order)))


@command.command(epilog=EXIT_CODES)
@calls_server
@_takes_order
def retry(client: Client, order: _Order) -> None:
    """Run tasks again: without --state those that FAILED.

    \b
    taskgate bulk retry --type mail.send --since 2h --rate 50
    """
    _show(client, order, client.retry_tasks(**_arguments(order)))


@command.command(epilog=EXIT_CODES)
@calls_server
@_takes_order
def delete(client: Client, order: _Order) -> None:
    """Delete the records of tasks: without --state those that have ended.

    \b
    taskgate bulk delete --state SUCCEEDED --before 2026-11-01
    """
    _show(client, order, client.delete_tasks(**_arguments(order)))


@click.command(epilog=EXIT_CODES)
@click.argument("operation_id", metavar="[ID]", required=False)
@click.option("--stop", is_flag=True, help="Stop it.")
@click.option("--wait", is_flag=True, help="Return when it has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@calls_server
def operations(
    client: Client, *, operation_id: str | None, stop: bool, wait: bool, as_json: bool
) -> None:
    """List the work on many tasks, the newest first; or show, await or stop one.

    \b
    taskgate operations
    taskgate operations ID --wait
    taskgate operations ID --stop
    """
    if operation_id is None:
        if stop or wait:
            raise click.UsageError("--stop and --wait need an ID")
        _print(list(client.operations()), as_json=as_json)
        return
    found = client.stop_operation(operation_id) if stop else client.operation(operation_id)
    _print([_ended(client, found) if wait else found], as_json=as_json)


def _arguments(order: _Order) -> dict[str, Any]:
    return {"chosen": order.chosen, "rate": order.rate, "dry_run": order.dry_run}


def _show(client: Client, order: _Order, begun: Begun) -> None:
    operation = begun.operation
    if operation is None:
        _show_dry(begun, as_json=order.as_json)
        return
    if order.wait:
        operation = _ended(client, operation)
    _print([operation], as_json=order.as_json)
    if operation.state is OperationState.STOPPED:
        raise click.exceptions.Exit(exits.NOT_RUN)


def _show_dry(begun: Begun, *, as_json: bool) -> None:
    if as_json:
        write_json({"total": begun.total, "examples": [one.id for one in begun.examples]})
        return
    write(f"{begun.total:,} tasks")
    for task in begun.examples:
        write(f"  {task.id} {task.task_type} {task.state.value}")


def _ended(client: Client, operation: Operation) -> Operation:
    for seen in client.watch_operation(operation.id):
        operation = seen
    return operation


def _print(found: list[Operation], *, as_json: bool) -> None:
    if as_json:
        write_json({"operations": [asdict(one) for one in found]})
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(one: Operation) -> tuple[Cell, ...]:
    return (
        one.id,
        one.kind.value,
        one.state.value,
        f"{one.done:,}/{one.total:,}",
        since(one.create_time),
        " ".join(f"{word}={number}" for word, number in sorted(one.outcomes.items())),
        one.by,
    )
