"""``taskgate server``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from taskgate.cli import exits
from taskgate.cli.commands.server_processes import PROCESS_OPTION, serve_in_processes
from taskgate.cli.dashboard import dashboard_maker
from taskgate.cli.exits import CommandError
from taskgate.cli.readiness import notify_ready
from taskgate.cli.settings import load_settings, loglevel_option, translate_store_errors
from taskgate.server.addresses import AddressUnavailable
from taskgate.server.api.authentication import TokensFileError, log_context
from taskgate.server.credentials import CredentialsError
from taskgate.server.main import PartEnded, serve
from taskgate.server.settings import ServerSettings
from taskgate.tasks.logs.formatting import formatter, provide


@click.command()
@click.option("--address", metavar="HOST:PORT", help="Where to serve, instead of TASKGATE_ADDRESS.")
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many processes serve on the port, each with its own share of the connections.",
)
@click.option(PROCESS_OPTION, "is_one_of_several", is_flag=True, hidden=True)
@loglevel_option("INFO", "How much the server writes.")
def command(address: str | None, processes: int, loglevel: str, *, is_one_of_several: bool) -> None:
    """Start the gRPC server, and the dashboard if TASKGATE_WEB_ADDRESS says where.

    It tells systemd when it is ready (Type=notify), and ends in peace on SIGTERM and Ctrl-C.

    \b
    taskgate db upgrade && taskgate server
    taskgate server --address 127.0.0.1:50052
    taskgate server --processes 4
    TASKGATE_WEB_ADDRESS=127.0.0.1:50080 taskgate server
    TASKGATE_ADDRESS=0.0.0.0:50051 TASKGATE_TLS_CERT=cert.pem TASKGATE_TLS_KEY=key.pem \\
      TASKGATE_TOKENS_FILE=tokens taskgate server
    """
    settings = load_settings(ServerSettings, taskgate_address=address)
    if processes > 1:
        with _translate_errors():
            serve_in_processes(settings, processes, loglevel)
        return
    process = " [%(process)d]" if is_one_of_several else ""
    layout = f"%(asctime)s{process} %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=loglevel, format=layout)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(settings.taskgate_log_format, logging.Formatter(layout)))
    provide(log_context)
    with _translate_errors():
        serve(
            settings,
            ready=notify_ready,
            shares_port=is_one_of_several,
            make_dashboard=dashboard_maker(settings),
        )


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        with translate_store_errors():
            yield
    except (TokensFileError, CredentialsError) as error:
        raise CommandError(str(error), exit_code=exits.USAGE) from error
    except (AddressUnavailable, PartEnded) as error:
        raise CommandError(str(error), exit_code=exits.FAILED) from error
