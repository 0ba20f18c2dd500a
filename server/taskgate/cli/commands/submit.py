"""``taskgate submit``."""

from __future__ import annotations

from typing import BinaryIO

import click
from click.core import ParameterSource

from taskgate.cli.arguments import parse_arguments, parse_labels
from taskgate.cli.commands.batch import submit_batch
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.follow import TaskOutput, prints_task
from taskgate.cli.times import SECONDS
from taskgate.client import Client, Unique

_OF_ONE_TASK = {
    "task_type",
    "words",
    "args_json",
    "kwargs_json",
    "queue",
    "priority",
    "delay",
    "ttl",
    "run_timeout",
    "labels",
    "request_id",
    "unique_key",
}


@click.command(epilog=EXIT_CODES)
@click.argument("task_type", required=False)
@click.argument("words", metavar="[ARG | NAME=VALUE]...", nargs=-1)
@click.option("--args", "args_json", metavar="JSON", help="The positional arguments as a list.")
@click.option("--kwargs", "kwargs_json", metavar="JSON", help="Keyword arguments as an object.")
@click.option("--queue", default="", help="The queue, instead of the task type's own.")
@click.option("--priority", type=click.IntRange(0, 9), help="From 0 to 9; 9 goes first.")
@click.option("--delay", type=SECONDS, help="Run it this long from now, for example 10s or 2h.")
@click.option(
    "--ttl", type=SECONDS, help="Expire it if it has not started so long after it is due."
)
@click.option("--run-timeout", type=SECONDS, help="End an attempt that runs longer than this.")
@click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, help="A label; repeatable.")
@click.option("--request-id", help="Submitting again with the same id gives the same task.")
@click.option(
    "--unique-key", help="Refuse it while a task of the type with this key has not ended."
)
@click.option(
    "--batch",
    metavar="FILE",
    type=click.File("rb"),
    help="Submit a task for each line of this file instead; - is standard input.",
)
@prints_task
@calls_server
def command(
    client: Client,
    *,
    task_type: str | None,
    words: tuple[str, ...],
    args_json: str | None,
    kwargs_json: str | None,
    queue: str,
    priority: int | None,
    delay: float | None,
    ttl: float | None,
    run_timeout: float | None,
    labels: tuple[str, ...],
    request_id: str | None,
    unique_key: str | None,
    batch: BinaryIO | None,
    output: TaskOutput,
) -> None:
    """Have a task run.

    An ARG that is JSON is taken as JSON, any other as a string; NAME=VALUE is a keyword argument.

    \b
    taskgate submit demo.add 2 3 --wait
    taskgate submit demo.add -- -2 3              negative numbers go behind --
    taskgate submit demo.echo value='{"a": [1, null]}'
    taskgate submit demo.echo --args '["2"]'      the string "2", not the number
    taskgate submit demo.countdown 60 --delay 1m --label team=web --priority 9
    id=$(taskgate submit demo.add 2 3 --quiet)

    With --batch each line is a JSON object with the fields of a submission: task_type, args,
    kwargs, queue, priority, delay, schedule_time, ttl, expire_time, run_timeout, retry_policy,
    labels, unique, request_id. It prints the ids; a line that is refused does not spoil the others.
    Lines with a request_id can be submitted again without running twice.

    \b
    echo '{"task_type": "demo.add", "args": [2, 3], "delay": "10s"}' | taskgate submit --batch -
    taskgate submit --batch tasks.jsonl --quiet | taskgate watch -
    """
    if batch is not None:
        _refuse_more_than_a_batch()
        submit_batch(client, batch, output)
    if task_type is None:
        raise click.UsageError("Missing argument 'TASK_TYPE'.")
    arguments = parse_arguments(words, args_json, kwargs_json)
    handle = client.submit(
        task_type,
        arguments.args or (),
        arguments.kwargs,
        queue=queue,
        priority=priority,
        delay=delay,
        ttl=ttl,
        run_timeout=run_timeout,
        labels=parse_labels(labels),
        request_id=request_id,
        unique=None if unique_key is None else Unique(unique_key),
    )
    output.show(handle)


def _refuse_more_than_a_batch() -> None:
    """What belongs to a single task is refused beside --batch, not ignored."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name in _OF_ONE_TASK:
            name = parameter.opts[0] if parameter.param_type_name == "option" else "an argument"
            raise click.UsageError(f"{name} belongs into the lines of --batch")
