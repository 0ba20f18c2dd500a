"""The command's entry: which subcommands there are, where each one is, and how errors are shown."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pkgutil import resolve_name
from typing import Any, NoReturn

import click

from taskgate.cli import exits
from taskgate.cli.exits import EXIT_CODES
from taskgate.cli.output.errors import report
from taskgate.cli.output.terminal import write

# A subcommand's module is imported when it is called: `taskgate get` does not wait for Celery.
_COMMANDS = {
    "up": "up:command",
    "server": "server:command",
    "worker": "worker:command",
    "db": "db:command",
    "submit": "submit:command",
    "get": "task:get",
    "retry": "task:retry",
    "abort": "task:abort",
    "list": "list_tasks:command",
    "count": "count:command",
    "watch": "watch:command",
    "types": "task_types:command",
    "workers": "workers:command",
    "queues": "stats:queues",
    "stats": "stats:stats",
    "top": "top:command",
    "bulk": "bulk:command",
    "operations": "bulk:operations",
    "pause": "pauses:pause",
    "resume": "pauses:resume",
    "pauses": "pauses:pauses",
    "schedules": "schedules:command",
    "events": "events:command",
    "logs": "logs:command",
    "sweep": "sweep:command",
    "doctor": "doctor:command",
}


class Subcommands(click.Group):
    """A group that imports a subcommand when it is wanted, and lists them in our order."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, what starts the parts first."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The subcommand, or None if there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        # gRPC's own notes, about connections that came and went, say nothing to a user.
        os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
        command: click.Command = resolve_name(f"taskgate.cli.commands.{_COMMANDS[cmd_name]}")
        return command

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override] # it never returned
        """Run the command and exit; an error is shown as one, never as a traceback."""
        words = list(sys.argv[1:] if args is None else args)
        try:
            code = self._run(words, **extra)
            sys.stdout.flush()
        except OSError as error:
            code = _output_failed(error)
        sys.exit(code or exits.OK)

    def _run(self, words: list[str], **extra: Any) -> int | None:
        try:
            code: int | None = super().main(words, **{**extra, "standalone_mode": False})
        except click.ClickException as error:
            report(error, as_json=_wants_json(words))
            return error.exit_code
        except click.Abort:
            return exits.INTERRUPTED
        except SystemExit as end:  # how click and rich end where a pipe is closed, with 1
            return exits.PIPE_CLOSED if end.code == 1 else exits.OK
        return code


def _wants_json(words: Sequence[str]) -> bool:
    """Told from the words themselves: the error may be that they cannot be parsed."""
    return "--json" in words[: words.index("--") if "--" in words else None]


def _output_failed(error: OSError) -> int:
    """Whoever reads our output is gone, or its disk is full."""
    # What is still buffered would fail again when Python flushes it at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return exits.PIPE_CLOSED
    with suppress(OSError):  # standard error may be the same file
        write(("Error", "red"), f": {error}", err=True)
    return exits.OUTPUT_FAILED


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        write(f"taskgate {version('taskgate')}")
        ctx.exit()


@click.command(
    cls=Subcommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def main() -> None:
    """Run Python Celery tasks from any language, over gRPC.

    \b
    Start server and worker here, with nothing configured:
      taskgate up

    \b
    Run a task and see it through:
      taskgate submit demo.countdown 5 --wait

    `taskgate COMMAND --help` shows each command's examples.
    """
