"""The command's entry: which subcommands there are, and where each one is."""

from __future__ import annotations

import os
from importlib.metadata import version
from pkgutil import resolve_name

import click

from taskgate.cli.exits import EXIT_CODES

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
    "watch": "watch:command",
    "types": "task_types:command",
    "workers": "workers:command",
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


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"taskgate {version('taskgate')}")
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
