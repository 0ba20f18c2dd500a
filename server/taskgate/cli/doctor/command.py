"""The command ``taskgate doctor``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click
from rich.console import Console
from rich.text import Text

from taskgate.cli import exits
from taskgate.cli.as_json import line_as_json
from taskgate.cli.connection import calls_server
from taskgate.cli.doctor.examination import examine
from taskgate.cli.doctor.finding import Finding, Level
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.parts import load_settings
from taskgate.cli.render import clean
from taskgate.client import Client
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
    found = examine(settings, client)
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
    click.echo(line_as_json({"findings": findings}))
    return Counter(Level(finding["level"]) for finding in findings)


def _as_text(found: Iterator[tuple[str, Finding]]) -> Counter[Level]:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    levels: Counter[Level] = Counter()
    before = ""
    for subject, finding in found:
        levels[finding.level] += 1
        console.print(_line("" if subject == before else subject, finding))
        before = subject
    problems, warnings = levels[Level.PROBLEM], levels[Level.WARNING]
    console.print(f"\n{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}.")
    return levels


def _line(subject: str, finding: Finding) -> Text:
    line = Text.assemble(
        (f"{subject:<9}", "bold"), (f"{finding.level:<10}", _STYLES[finding.level])
    )
    line.append(clean(finding.text).replace("\n", " "))
    if finding.way_out:
        line.append(f"\n{_INDENT}→ {clean(finding.way_out)}", style="dim")
    return line


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
