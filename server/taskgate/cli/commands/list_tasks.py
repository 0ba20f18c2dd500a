"""``taskgate list``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.filters import takes_filter
from taskgate.cli.ids import whole_id
from taskgate.cli.output.follow import VERBOSE
from taskgate.cli.output.tables import Cell, Column, cut_end, cut_middle, print_table
from taskgate.cli.output.task import fields_of, print_task, state_text
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.output.times import since, span
from taskgate.client import Client, Page, Task, TaskFilter

_COLUMNS = (
    Column("ID", is_id=True),
    Column("TYPE", cut_middle, least=12),
    Column("STATE"),
    Column("AGE"),
    Column("TOOK", optional=True),
    Column("ATTEMPT", optional=True),
    Column("LABELS", cut_end, optional=True),
)
_LARGE_PAGE = 500


@click.command(epilog=EXIT_CODES)
@takes_filter
@click.option("--root", "root_id", default="", metavar="ID", help="This task and its retries.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="How many to show at most.",
)
@click.option("--page-token", default="", metavar="TOKEN", help="Go on where another list ended.")
@click.option("--all", "want_all", is_flag=True, help="Show all of them.")
@click.option("--full", is_flag=True, help="With arguments, results and tracebacks.")
@click.option("--json", "as_json", is_flag=True, help="Print each page as a line of JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the tasks' ids.")
@click.option("-v", "--verbose", is_flag=True, help=f"With --full: {VERBOSE.lower()}")
@calls_server
def command(
    client: Client,
    *,
    chosen: TaskFilter,
    root_id: str,
    limit: int,
    page_token: str,
    want_all: bool,
    full: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """List tasks, the newest first. Filters of different kinds must all fit.

    \b
    taskgate list
    taskgate list --state FAILED --state EXPIRED --since 2h
    taskgate list --type demo.add --label team=web --limit 200
    taskgate list --state QUEUED --all --quiet | xargs -n 1 taskgate abort
    taskgate list --root ID --full                 a task and its retries, each as `get` shows it
    taskgate list --json | jq -r '.tasks[].id'
    """
    tasks = client.list(
        states=chosen.states,
        task_types=chosen.task_types,
        queues=chosen.queues,
        labels=chosen.labels,
        created_from=chosen.created_from,
        created_before=chosen.created_before,
        schedule=chosen.schedule,
        root_id=whole_id(client, root_id),
        full=full,
        page_size=_LARGE_PAGE if want_all else limit,
    )
    show = _show_json if as_json else _show_ids if quiet else _show_full if full else _show_table
    how = _How(full=full, verbose=verbose)
    for number, page in enumerate(tasks.pages(page_token)):
        show(page, number, how)
        if not want_all:
            _mention_more(page, as_json=as_json)
            return


@dataclass(frozen=True, slots=True)
class _How:
    full: bool
    verbose: bool


def _show_json(page: Page, _number: int, how: _How) -> None:
    tasks = [fields_of(task, full=how.full) for task in page.tasks]
    write_json({"tasks": tasks, "next_page_token": page.next_page_token})


def _show_ids(page: Page, _number: int, _how: _How) -> None:
    for task in page.tasks:
        write(task.id)


def _show_full(page: Page, _number: int, how: _How) -> None:
    for task in page.tasks:
        print_task(task, all_frames=how.verbose)
        write()


def _show_table(page: Page, number: int, _how: _How) -> None:
    print_table(_COLUMNS, _rows(page), heading=number == 0)


def _mention_more(page: Page, *, as_json: bool) -> None:
    if page.next_page_token and not as_json:
        write(f"There are more: --all, or --page-token {page.next_page_token}", err=True)


def _rows(page: Page) -> Iterator[tuple[Cell, ...]]:
    for task in page.tasks:
        attempts = str(task.attempt)
        yield (
            task.id,
            task.task_type,
            state_text(task.state),
            since(task.create_time) if task.create_time else "",
            _took(task),
            f"{attempts}/{task.max_attempts}" if task.max_attempts else attempts,
            " ".join(f"{key}={value}" for key, value in sorted(task.labels.items())),
        )


def _took(task: Task) -> str:
    if task.start_time is None:
        return ""
    end = task.finish_time or datetime.now(UTC)
    return span((end - task.start_time).total_seconds())
