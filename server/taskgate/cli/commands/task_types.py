"""``taskgate types``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from taskgate.cli import exits, signatures
from taskgate.cli.connection import calls_server
from taskgate.cli.exits import EXIT_CODES, CommandError
from taskgate.cli.output.terminal import json_text, write, write_json
from taskgate.cli.output.times import local_time
from taskgate.client import Client, Parameter, ParameterKind, TaskType

_FILE = click.Path(dir_okay=False, path_type=Path)

_GIVEN = {
    ParameterKind.POSITIONAL_ONLY: "by position",
    ParameterKind.POSITIONAL_OR_KEYWORD: "by position or name",
    ParameterKind.VAR_POSITIONAL: "any number, by position",
    ParameterKind.KEYWORD_ONLY: "by name",
    ParameterKind.VAR_KEYWORD: "any number, by name",
}


@click.command(epilog=EXIT_CODES)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.option(
    "--save", type=_FILE, help="Write the signatures to this file, to be compared with later."
)
@click.option(
    "--check", type=_FILE, help="Fail if a signature changed since, so that it breaks submitters."
)
@calls_server
def command(
    client: Client, *, name: str | None, as_json: bool, save: Path | None, check: Path | None
) -> int:
    """Show what can be submitted: the task types that workers have registered.

    They stay while no worker runs. With a NAME: everything that is known about that one.

    \b
    taskgate types
    taskgate types demo.add
    taskgate types --json | jq -r '.task_types[].name'
    taskgate types --save types.json
    taskgate types --check types.json
    """
    saved = None if check is None else _load(check)
    types = list(client.task_types())
    if saved is not None:
        return _check(signatures.breaking_changes(saved, types), as_json=as_json)
    if save is not None:
        _save(save, types)
        return exits.OK
    if name is not None:
        types = [_find(types, name)]
    if as_json:
        write_json({"task_types": [asdict(known) for known in types]})
        return exits.OK
    for known in types:
        for line in _in_detail(known) if name is not None else _at_a_glance(known):
            write(line)
    return exits.OK


def _load(path: Path) -> list[dict[str, Any]]:
    try:
        return signatures.load(path)
    except (OSError, signatures.FileInvalid) as exc:
        raise CommandError(str(exc), exit_code=exits.USAGE) from exc


def _save(path: Path, types: list[TaskType]) -> None:
    try:
        signatures.save(path, types)
    except OSError as exc:
        raise CommandError(str(exc), exit_code=exits.OUTPUT_FAILED) from exc


def _check(changes: list[str], *, as_json: bool) -> int:
    if as_json:
        write_json({"breaking_changes": changes})
    else:
        for change in changes:
            write(change)
    return exits.FAILED if changes else exits.OK


def _find(types: list[TaskType], name: str) -> TaskType:
    names = {known.name: known for known in types}
    if name in names:
        return names[name]
    nearest = difflib.get_close_matches(name, names)
    hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
    raise CommandError(f"no worker has registered {name!r}{hint}", exit_code=exits.REFUSED)


def _at_a_glance(known: TaskType) -> Iterator[Text]:
    yield _call(known)
    for line in known.doc.strip().splitlines()[:1]:
        yield Text(f"    {line}", style="dim")


def _in_detail(known: TaskType) -> Iterator[Text]:
    yield _call(known)
    for line in known.doc.strip().splitlines():
        yield Text(f"    {line.strip()}".rstrip(), style="dim")
    for name, value in _rows(known):
        yield Text.assemble((f"  {name:<11}", "dim"), value)
    for parameter in known.parameters:
        described = f" {_describe(parameter)}"
        yield Text.assemble(("  parameter  ", "dim"), (parameter.name, "bold"), described)


def _describe(parameter: Parameter) -> str:
    needed = "required" if parameter.required else "optional"
    given = _GIVEN.get(parameter.kind, parameter.kind)
    schema = json_text(parameter.schema) if parameter.schema else "anything"
    return f"{needed}, {given}: {schema}"


def _call(known: TaskType) -> Text:
    return Text.assemble((known.name, "bold"), known.signature)


def _rows(known: TaskType) -> Iterator[tuple[str, str]]:
    yield "queue", known.queue
    yield "attempts", str(known.max_attempts) if known.max_attempts else "not bounded"
    if known.at_most_once:
        yield "once", "a task that lost its worker is failed, never run again"
    by = f" by {known.registered_by}" if known.registered_by else ""
    yield "revision", f"{known.revision}, registered {local_time(known.register_time)}{by}"
