"""``taskgate events``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.ids import whole_id
from taskgate.cli.output.task import state_text
from taskgate.cli.output.terminal import one_line, write, write_json
from taskgate.cli.output.times import local_time
from taskgate.cli.times import WHEN
from taskgate.client import Client, Event, EventKind, State

_KINDS = [kind.value for kind in EventKind if kind is not EventKind.UNSPECIFIED]
_LATELY = timedelta(hours=1)
_KIND_WIDTH = max(map(len, _KINDS))


@click.command(epilog=EXIT_CODES)
@click.option("--task", "task_id", metavar="ID", help="Of this task only, from its beginning.")
@click.option("--since", type=WHEN, help="What happened then or later: 2h, 2026-11-22; 1h if none.")
@click.option("--after", metavar="CURSOR", default="", help="What came after an event's cursor.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS, case_sensitive=False),
    help="Of this kind; repeatable.",
)
@click.option("-f", "--follow", is_flag=True, help="Wait for what happens next, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@calls_server
def command(
    client: Client,
    *,
    task_id: str | None,
    since: datetime | None,
    after: str,
    kinds: tuple[str, ...],
    follow: bool,
    as_json: bool,
) -> None:
    """List what happened to tasks, and who did what to them, the oldest first.

    \b
    taskgate events --task ID
    taskgate events --follow
    taskgate events --kind called --since 1d
    taskgate events --follow --json | jq -r 'select(.kind == "ENDED") | .task_id'
    """
    if since is None and not after and task_id is None:
        since = datetime.now(UTC) - _LATELY
    found = client.events(
        None if task_id is None else whole_id(client, task_id),
        after=after,
        since=since,
        kinds=[EventKind(kind.upper()) for kind in kinds],
        follow=follow,
    )
    try:
        for event in found:
            if as_json:
                write_json(asdict(event))
            else:
                write(_line(event))
    except KeyboardInterrupt:
        raise click.exceptions.Exit(exits.INTERRUPTED) from None


def _line(event: Event) -> Text:
    return Text.assemble(
        (local_time(event.time), "dim"),
        " ",
        (event.task_id, "dim"),
        " ",
        (one_line(event.task_type), "bold"),
        f" {event.kind:{_KIND_WIDTH}} ",
        state_text(event.state) if event.state is not None else "",
        _details(event),
    )


def _details(event: Event) -> str:
    """What there is to say, in one line."""
    parts = [
        event.call,
        f"attempt {event.attempt}" if event.attempt else "",
        f"on {event.worker}" if event.worker else "",
        _outcome(event),
        f"by {event.caller}" if event.caller else "",
        f"from {event.peer}" if event.peer else "",
        f"again {event.retry_of}" if event.retry_of else "",
        one_line(event.detail),
    ]
    text = ", ".join(filter(None, parts))
    return f" {text}" if text and event.state is not None else text


def _outcome(event: Event) -> str:
    if event.error is not None:
        return one_line(str(event.error))
    if event.outcome is None or event.state in (State.SUCCEEDED, State.ABORTED):
        return ""
    return event.outcome.lower()
