"""The command's entry: which subcommands there are, and in which module each one is."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import version

import click

from taskgate.cli.exits import EXIT_CODES

# A subcommand's module is imported when it is called: `taskgate get` does not wait for Celery.
_COMMANDS = {
    "up": "taskgate.cli.up",
    "server": "taskgate.cli.server",
    "worker": "taskgate.cli.worker",
    "db": "taskgate.cli.db",
    "submit": "taskgate.cli.submit",
    "get": "taskgate.cli.get",
    "retry": "taskgate.cli.retry",
    "abort": "taskgate.cli.abort",
    "list": "taskgate.cli.list_tasks",
    "watch": "taskgate.cli.watch",
    "types": "taskgate.cli.task_types",
    "workers": "taskgate.cli.workers",
    "sweep": "taskgate.cli.sweep",
    "doctor": "taskgate.cli.doctor.command",
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
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
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
