"""``taskgate server``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from taskgate.cli import exits
from taskgate.cli.exits import CommandError
from taskgate.cli.readiness import notify_ready
from taskgate.cli.settings import load_settings, loglevel_option, translate_store_errors
from taskgate.server.api.authentication import TokensFileError
from taskgate.server.credentials import CredentialsError
from taskgate.server.main import serve
from taskgate.server.server import AddressUnavailable
from taskgate.server.settings import ServerSettings


@click.command()
@click.option("--address", metavar="HOST:PORT", help="Where to serve, instead of TASKGATE_ADDRESS.")
@loglevel_option("INFO", "How much the server writes.")
def command(address: str | None, loglevel: str) -> None:
    """Start the gRPC server.

    It tells systemd when it is ready (Type=notify), and ends in peace on SIGTERM and Ctrl-C.

    \b
    taskgate db upgrade && taskgate server
    taskgate server --address 127.0.0.1:50052
    TASKGATE_ADDRESS=0.0.0.0:50051 TASKGATE_TLS_CERT=cert.pem TASKGATE_TLS_KEY=key.pem \\
      TASKGATE_TOKENS_FILE=tokens taskgate server
    """
    logging.basicConfig(level=loglevel, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with _translate_errors():
        serve(load_settings(ServerSettings, taskgate_address=address), ready=notify_ready)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        with translate_store_errors():
            yield
    except (TokensFileError, CredentialsError) as error:
        raise CommandError(str(error), exit_code=exits.USAGE) from error
    except AddressUnavailable as error:
        raise CommandError(str(error), exit_code=exits.FAILED) from error
