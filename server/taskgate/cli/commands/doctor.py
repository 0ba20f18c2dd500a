"""The command ``taskgate doctor``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.connection import calls_server
from taskgate.cli.doctor import Finding, Level, ok, problem, warning
from taskgate.cli.doctor.examination import examine, guarded
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.terminal import one_line, write, write_json
from taskgate.cli.settings import load_settings
from taskgate.client import Client, PermissionDenied, TaskgateError, Unauthenticated
from taskgate.server.settings import ServerSettings

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}
_INDENT = " " * 19


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print what it found as JSON.")
@calls_server
def command(client: Client, *, as_json: bool) -> None:
    """Say what this configuration can and cannot do, and whether each part answers.

    It reads the environment as server and workers do, looks at record, clocks, workers, broker,
    mirror and server, and changes nothing. The exit code is 1 if it found a problem; warnings say
    what works, but does less than one may expect.

    \b
    taskgate doctor
    POSTGRES_URL=postgresql://host/name CELERY_BROKER_URL=redis://host taskgate doctor
    taskgate doctor --json | jq '.findings[] | select(.level != "ok")'
    """
    settings = load_settings(ServerSettings)
    found = _examine(settings, client)
    levels = _as_json(found) if as_json else _as_text(found)
    if levels[Level.PROBLEM]:
        raise click.exceptions.Exit(exits.FAILED)


def _as_json(found: Iterator[tuple[str, Finding]]) -> Counter[Level]:
    findings = [
        {
            "subject": subject,
            "level": finding.level,
            "text": finding.text,
            "way_out": finding.way_out,
        }
        for subject, finding in found
    ]
    write_json({"findings": findings})
    return Counter(Level(finding["level"]) for finding in findings)


def _as_text(found: Iterator[tuple[str, Finding]]) -> Counter[Level]:
    levels: Counter[Level] = Counter()
    before = ""
    for subject, finding in found:
        levels[finding.level] += 1
        write(_line("" if subject == before else subject, finding))
        before = subject
    problems, warnings = levels[Level.PROBLEM], levels[Level.WARNING]
    write(f"\n{_count(problems, 'problem')}, {_count(warnings, 'warning')}.")
    return levels


def _line(subject: str, finding: Finding) -> Text:
    line = Text.assemble(
        (f"{subject:<9}", "bold"), (f"{finding.level:<10}", _STYLES[finding.level])
    )
    line.append(one_line(finding.text))
    if finding.way_out:
        line.append(f"\n{_INDENT}→ {finding.way_out}", style="dim")
    return line


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _examine(settings: ServerSettings, client: Client) -> Iterator[tuple[str, Finding]]:
    """What was found, with its subject, as it is found."""
    yield from examine(settings)
    for finding in guarded(lambda: _check_server(client, insecure=settings.taskgate_insecure)):
        yield "server", finding


def _check_server(client: Client, *, insecure: bool) -> Iterator[Finding]:
    """Whether it says that it serves, and answers a call; ``insecure``: TASKGATE_INSECURE."""
    try:
        serves = client.is_serving()
    except TaskgateError as error:
        yield problem(
            f"no server answers at {client.target}: {error.message.rpartition(': ')[2]}",
            "start one: `taskgate server`, or `taskgate up`; or set TASKGATE_ADDRESS, and "
            "TASKGATE_TLS_CA if it wants TLS",
        )
        return
    if not serves:
        yield problem(f"the server at {client.target} is shutting down", "start it again")
        return
    yield from _call(client)
    if insecure:
        yield warning(
            "TASKGATE_INSECURE lets whoever reaches the address run tasks",
            "set TASKGATE_TLS_CERT, TASKGATE_TLS_KEY and TASKGATE_TOKENS_FILE",
        )


def _call(client: Client) -> Iterator[Finding]:
    try:
        types = list(client.task_types())
    except Unauthenticated as error:
        yield problem(
            f"the server at {client.target} does not know us: {error.message}",
            "set TASKGATE_TOKEN to a token in the server's TASKGATE_TOKENS_FILE",
        )
    except PermissionDenied as error:
        yield ok(f"the server at {client.target} serves, and knows us: {error.message}")
    except TaskgateError as error:
        yield problem(
            f"the server at {client.target} serves, but fails a call: {error.message}",
            "look into its log",
        )
    else:
        yield ok(f"the server at {client.target} serves; it knows {len(types)} task types")
