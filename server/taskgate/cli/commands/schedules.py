"""``taskgate schedules``: what submits tasks again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from taskgate.cli.arguments import parse_arguments, parse_labels
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES, REFUSED
from taskgate.cli.output.tables import Cell, Column, cut_end, cut_middle, print_table
from taskgate.cli.output.terminal import write, write_json
from taskgate.cli.output.times import local_time
from taskgate.cli.times import SECONDS
from taskgate.client import Client, Schedule, Submission, TaskgateError, Unique
from taskgate.v1.reasons import Reason

_COLUMNS = (
    Column("ID", cut_middle),
    Column("WHEN", cut_end),
    Column("TYPE", cut_middle),
    Column("NEXT"),
    Column("LAST"),
    Column("TASK", is_id=True),
)

_OVERLAPS = {"skip": "SKIP", "allow": "ALLOW", "abort": "ABORT_RUNNING"}
_MISSED = {"skip": "SKIP", "one": "RUN_ONE", "all": "RUN_ALL"}

_OPTIONS = (
    click.option("--cron", metavar="EXPRESSION", help="Five fields, six with seconds, or @daily."),
    click.option("--every", type=SECONDS, help="This long apart, for example 90s or 6h."),
    click.option("--zone", metavar="NAME", help="The time zone of --cron; UTC if not given."),
    click.option(
        "--overlap",
        type=click.Choice([*_OVERLAPS]),
        help="What a tick does while an earlier task has not ended; skip if not given.",
    ),
    click.option(
        "--missed",
        type=click.Choice([*_MISSED]),
        help="What is made up for of ticks that nobody fired; one if not given.",
    ),
    click.option(
        "--most-missed", type=click.IntRange(1), help="How many --missed all makes up for."
    ),
    click.option("--description", help="What it is for."),
    click.option("--args", "args_json", metavar="JSON", help="The positional arguments as a list."),
    click.option("--kwargs", "kwargs_json", metavar="JSON", help="Keyword arguments as an object."),
    click.option("--queue", default="", help="The queue, instead of the task type's own."),
    click.option("--priority", type=click.IntRange(0, 9), help="From 0 to 9; 9 goes first."),
    click.option("--ttl", type=SECONDS, help="Expire a task that has not started by then."),
    click.option("--run-timeout", type=SECONDS, help="End an attempt that runs longer than this."),
    click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, help="A label."),
    click.option("--unique-key", help="Skip ticks while a task of the type with this key lives."),
    click.option("--json", "as_json", is_flag=True, help="Print it as JSON."),
)


def _takes_schedule(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """Create, list, change, pause or trigger what submits tasks again and again.

    \b
    taskgate schedules create nightly --cron "30 2 * * *" --zone Europe/Berlin reports.daily
    taskgate schedules create every-90s demo.add 2 3 --every 90s
    taskgate schedules list
    taskgate schedules import shop.celery_app
    """


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@click.argument("task_type")
@click.argument("words", metavar="[ARG | NAME=VALUE]...", nargs=-1)
@_takes_schedule
@calls_server
def create(
    client: Client, *, schedule_id: str, task_type: str, as_json: bool, **options: Any
) -> None:
    """Have a task submitted at each tick; ID is for you to choose.

    \b
    taskgate schedules create nightly demo.add 2 3 --cron "30 2 * * *" --zone Europe/Berlin
    taskgate schedules create beat demo.add 2 3 --every 90s --overlap allow
    """
    if (options["cron"] is None) == (options["every"] is None):
        raise click.UsageError("give --cron or --every")
    task = _submission(task_type, options)
    made = client.create_schedule(task, schedule_id=schedule_id, **_values(options))
    _show([made], as_json=as_json)


@command.command(name="list", epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@calls_server
def list_(client: Client, *, as_json: bool) -> None:
    """List schedules, by id.

    \b
    taskgate schedules list
    taskgate schedules list --json | jq -r '.schedules[].id'
    """
    _show(list(client.schedules()), as_json=as_json)


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@calls_server
def show(client: Client, *, schedule_id: str, as_json: bool) -> None:
    """Show a schedule: its next ticks, and what became of the last one.

    \b
    taskgate schedules show nightly
    """
    found = client.schedule(schedule_id)
    if as_json:
        _show([found], as_json=True)
        return
    for name, text in _lines(found):
        write(f"{name:12}{text}")


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@click.argument("words", metavar="[ARG | NAME=VALUE]...", nargs=-1)
@_takes_schedule
@click.option("--type", "task_type", metavar="NAME", help="Submit tasks of another type.")
@calls_server
def update(
    client: Client, *, schedule_id: str, task_type: str | None, as_json: bool, **options: Any
) -> None:
    """Change a schedule. What its task is made of is given as a whole, with --type.

    \b
    taskgate schedules update nightly --cron "0 3 * * *"
    taskgate schedules update nightly --type demo.add 3 4 --queue celery
    """
    if task_type is None and any(options[name] not in (None, "", ()) for name in _OF_TASK):
        raise click.UsageError("what its task is made of is given as a whole, with --type")
    task = None if task_type is None else _submission(task_type, options)
    changed = client.update_schedule(schedule_id, task=task, **_values(options))
    _show([changed], as_json=as_json)


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@calls_server
def delete(client: Client, *, schedule_id: str) -> None:
    """Delete a schedule; the tasks that it submitted stay.

    \b
    taskgate schedules delete nightly
    """
    client.delete_schedule(schedule_id)
    write(f"schedule {schedule_id} is deleted")


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@click.option("--reason", default="", help="Why; recorded with the pause.")
@calls_server
def pause(client: Client, *, schedule_id: str, reason: str) -> None:
    """Have a schedule tick no more.

    \b
    taskgate schedules pause nightly --reason "the warehouse moves"
    """
    client.pause_schedule(schedule_id, reason=reason)
    write(f"schedule {schedule_id} is paused")


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@calls_server
def resume(client: Client, *, schedule_id: str) -> None:
    """Have a schedule tick again. Ticks that came meanwhile are not made up for.

    \b
    taskgate schedules resume nightly
    """
    _show([client.resume_schedule(schedule_id)], as_json=False)


@command.command(epilog=EXIT_CODES)
@click.argument("schedule_id", metavar="ID")
@calls_server
def trigger(client: Client, *, schedule_id: str) -> None:
    """Submit a schedule's task now, whatever its policies say; prints the task's id.

    \b
    taskgate schedules trigger nightly
    """
    write(client.trigger_schedule(schedule_id).id)


@command.command(name="import", epilog=EXIT_CODES)
@click.argument("app")
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@calls_server
def import_(client: Client, *, app: str, dry_run: bool) -> None:
    """Make schedules of the `beat_schedule` of a Celery app, named as for `celery --app`.

    Run again, it changes those that differ. What cannot be taken over is named, and the exit
    code is 4; the others are made.

    \b
    taskgate schedules import shop.celery_app --dry-run
    """
    # Celery takes a while to import: other subcommands do without.
    from taskgate.cli.beat import entries_of  # noqa: PLC0415

    refused = False
    for entry in entries_of(app):
        problem = entry.problem
        if not problem and not dry_run:
            try:
                _put(client, entry.id, entry.task, entry.values)
            except TaskgateError as exc:
                problem = exc.message
        refused = refused or bool(problem)
        write(f"{entry.name}: {problem or f'schedule {entry.id}'}", err=bool(problem))
    if refused:
        raise click.exceptions.Exit(REFUSED)


def _put(client: Client, schedule_id: str, task: Submission, values: dict[str, Any]) -> None:
    try:
        client.create_schedule(task, schedule_id=schedule_id, **values)
    except TaskgateError as exc:
        if exc.reason != Reason.SCHEDULE_EXISTS:
            raise
        client.update_schedule(schedule_id, task=task, **values)


_OF_TASK = (
    *("words", "args_json", "kwargs_json", "queue", "priority", "ttl", "run_timeout"),
    *("labels", "unique_key"),
)


def _submission(task_type: str, options: dict[str, Any]) -> Submission:
    given = parse_arguments(options["words"], options["args_json"], options["kwargs_json"])
    key = options["unique_key"]
    return Submission(
        task_type,
        given.args or (),
        given.kwargs or {},
        queue=options["queue"],
        priority=options["priority"],
        ttl=options["ttl"],
        run_timeout=options["run_timeout"],
        labels=parse_labels(options["labels"]),
        unique=None if key is None else Unique(key),
    )


def _values(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "cron": options["cron"],
        "interval": options["every"],
        "time_zone": options["zone"],
        "overlap_policy": _OVERLAPS.get(options["overlap"]),
        "missed_ticks_policy": _MISSED.get(options["missed"]),
        "max_missed_ticks": options["most_missed"],
        "description": options["description"],
    }


def _show(found: list[Schedule], *, as_json: bool) -> None:
    if as_json:
        write_json({"schedules": [asdict(one) for one in found]})
    else:
        print_table(_COLUMNS, map(_row, found))


def _row(one: Schedule) -> tuple[Cell, ...]:
    tick = one.last_tick
    next_time = "paused" if one.pause else local_time(next(iter(one.next_times), None))
    outcome, task_id = (tick.outcome.value, tick.task_id) if tick else ("", "")
    return (one.id, _when(one), one.task.task_type, next_time, outcome, task_id)


def _when(one: Schedule) -> str:
    return f"every {one.interval:g}s" if one.interval else f"{one.cron} {one.time_zone}"


def _lines(one: Schedule) -> list[tuple[str, str]]:
    lines = [("id", one.id), ("when", _when(one)), ("task", one.task.task_type)]
    lines += [("overlap", one.overlap_policy.value), ("missed", one.missed_ticks_policy.value)]
    if one.description:
        lines.append(("for", one.description))
    if one.pause:
        lines.append(("paused", f"{local_time(one.pause.pause_time)} {one.pause.reason}"))
    lines += [("next", local_time(time)) for time in one.next_times]
    if tick := one.last_tick:
        lines.append(("last", f"{local_time(tick.tick_time)} {tick.outcome.value} {tick.message}"))
        lines.append(("last task", f"{tick.task_id} {tick.task_state.value}"))
        if tick.task_error:
            lines.append(("error", str(tick.task_error)))
    counts = " ".join(f"{name}={number}" for name, number in one.tick_counts.items())
    return [*lines, ("ticks", counts)]
