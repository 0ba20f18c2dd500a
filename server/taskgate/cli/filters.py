"""The options by which commands choose tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

import click

from taskgate.cli.arguments import parse_labels
from taskgate.cli.times import WHEN
from taskgate.client import State, TaskFilter

_STATES = [state.value for state in State if state is not State.UNSPECIFIED]
_OPTIONS = (
    click.option(
        "--state",
        "states",
        multiple=True,
        type=click.Choice(_STATES, case_sensitive=False),
        help="In this state; repeatable.",
    ),
    click.option("--type", "task_types", multiple=True, help="Of this task type; repeatable."),
    click.option("--queue", "queues", multiple=True, help="In this queue; repeatable."),
    click.option(
        "--label", "labels", metavar="KEY=VALUE", multiple=True, help="With this label; repeatable."
    ),
    click.option(
        "--since", "created_from", type=WHEN, help="Submitted then or later: 2h, 2026-11-22."
    ),
    click.option("--schedule", default="", metavar="ID", help="Submitted by this schedule."),
    click.option("--before", "created_before", type=WHEN, help="Submitted before then."),
)


def takes_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and call it with what they say as ``chosen``, a TaskFilter."""

    @wraps(command)
    def call(
        *arguments: Any,
        states: tuple[str, ...],
        task_types: tuple[str, ...],
        queues: tuple[str, ...],
        labels: tuple[str, ...],
        created_from: datetime | None,
        created_before: datetime | None,
        schedule: str,
        **options: Any,
    ) -> None:
        chosen = TaskFilter(
            states=tuple(State(state) for state in states),
            task_types=task_types,
            queues=queues,
            labels=parse_labels(labels),
            created_from=created_from,
            created_before=created_before,
            schedule=schedule,
        )
        command(*arguments, chosen=chosen, **options)

    wrapped: Callable[..., None] = call
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
