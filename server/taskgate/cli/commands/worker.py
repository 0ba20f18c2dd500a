"""``taskgate worker``: Celery's own worker with taskgate's app."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from taskgate.cli.output.terminal import write

CELERY = (sys.executable, "-m", "celery")

WORKER = ("--app", "taskgate.tasks", "worker")
"""Follows ``CELERY`` and the options that Celery wants before a subcommand."""


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def command(options: tuple[str, ...]) -> None:
    """Start a worker. The options are those of `celery worker`.

    \b
    taskgate worker --loglevel=info
    taskgate worker --queues=mail,reports --concurrency=4
    taskgate worker --pool=threads --concurrency=10
    taskgate worker --detach --pidfile=worker.pid --logfile=worker.log
    TASKGATE_TASKS=mypackage.tasks taskgate worker

    It is the same as `celery -A taskgate.tasks worker …`, which works too.
    """
    if {"-h", "--help"} & set(options):
        write(click.get_current_context().get_help())
        write()
        sys.stdout.flush()
        options = ("--help",)
    _become(*CELERY, *WORKER, *options)


def _become(*arguments: str) -> NoReturn:
    # Not a call of Celery's: `--detach` reads the command line of a process that is `celery`.
    os.execv(arguments[0], arguments)  # noqa: S606 - no shell is the point
