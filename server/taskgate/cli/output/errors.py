"""Errors of the command on standard error: a line for people, or JSON for scripts."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

import click

from taskgate.cli import exits
from taskgate.cli.exits import CommandError
from taskgate.cli.output.terminal import json_text, write
from taskgate.client import TaskgateError, WaitTimeout

_CODES = {
    exits.FAILED: "UNKNOWN",
    exits.USAGE: "INVALID_ARGUMENT",
    exits.REFUSED: "NOT_FOUND",
    exits.UNANSWERED: "UNAVAILABLE",
}
"""What gRPC would call the errors that no server answered."""


def report(error: click.ClickException, *, as_json: bool) -> None:
    """Write why the command ends."""
    if as_json:
        write(json_text({"error": _fields(error)}), err=True)
    elif isinstance(error, CommandError):
        write(("Error", "red"), f": {error.format_message()}", err=True)
    else:
        text = io.StringIO()
        error.show(text)  # click's own, with how the command is used
        write(text.getvalue().rstrip(), err=True)


def fields_of_error(error: TaskgateError) -> dict[str, Any]:
    """What scripts want to know of a server's error."""
    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": error.message,
        "violations": [asdict(violation) for violation in error.violations],
    }


def _fields(error: click.ClickException) -> dict[str, Any]:
    message, cause = error.format_message(), error.__cause__
    if isinstance(cause, TaskgateError):
        fields = fields_of_error(cause)
        return fields if cause.reason else {**fields, "message": message}
    code = "DEADLINE_EXCEEDED" if isinstance(cause, WaitTimeout) else _CODES[error.exit_code]
    return {"code": code, "reason": "", "message": message, "violations": []}
