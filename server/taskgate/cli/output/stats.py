"""Queues, task types and states as tables: what is going on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from taskgate.cli.output.tables import Cell, Column, cut_end, cut_middle
from taskgate.cli.output.times import span
from taskgate.client import Activity, Queue, Stats

_COUNTS = (
    Column("WAITING"),
    Column("OLDEST"),
    Column("RUNNING"),
    Column("LATER", optional=True),
    Column("SUBMITS/min", optional=True),
    Column("STARTS/min", optional=True),
    Column("ENDS/min", optional=True),
    Column("FAILURES/min"),
)

QUEUES = (Column("QUEUE", cut_end), Column("WORKERS"), *_COUNTS)
TYPES = (Column("TYPE", cut_middle), *_COUNTS)


def queue_rows(queues: Iterable[Queue]) -> Iterable[Sequence[Cell]]:
    """A row of QUEUES for each."""
    for queue in queues:
        yield (_name(queue), _workers(queue), *_cells(queue.activity))


def type_rows(stats: Stats) -> Iterable[Sequence[Cell]]:
    """A row of TYPES for each task type."""
    for name, activity in stats.types.items():
        yield (name, *_cells(activity))


def summary(stats: Stats) -> Text:
    """All tasks in two lines."""
    busy = stats.activity.running + stats.activity.aborting
    states = "  ".join(
        f"{state} {'about ' if count.estimated else ''}{count.tasks:,}"
        for state, count in stats.states.items()
        if count.tasks
    )
    noun = "worker" if stats.worker_count == 1 else "workers"
    workers = f"{stats.worker_count} {noun}, {busy} of {stats.slots} slots busy"
    return Text(f"{workers}\n{states or 'no tasks'}")


def _name(queue: Queue) -> Text:
    text = Text(queue.name)
    if queue.pause is not None:
        text.append(" paused", style="yellow")
    return text


def _workers(queue: Queue) -> Text:
    waits_in_vain = queue.worker_count == 0 and queue.activity.queued > 0
    return Text(f"{queue.worker_count}/{queue.slots}", style="red" if waits_in_vain else "")


def _cells(activity: Activity) -> tuple[Cell, ...]:
    minute = activity.last_minute
    ends = minute.successes + minute.failures + minute.aborts + minute.expiries
    return (
        f"{activity.queued:,}",
        "" if activity.oldest_age is None else span(activity.oldest_age),
        f"{activity.running + activity.aborting:,}",
        f"{activity.scheduled + activity.retrying:,}",
        f"{minute.submits:,}",
        f"{minute.starts:,}",
        f"{ends:,}",
        Text(f"{minute.failures:,}", style="red" if minute.failures else ""),
    )
