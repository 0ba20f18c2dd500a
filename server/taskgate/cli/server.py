"""``taskgate server``."""

from __future__ import annotations

import sys

import click

from taskgate.cli.parts import load_settings, told_store_errors
from taskgate.cli.readiness import notify_ready

SERVER = (sys.executable, "-m", "taskgate.cli", "server")


@click.command()
@click.option("--address", metavar="HOST:PORT", help="Where to serve, instead of TASKGATE_ADDRESS.")
def command(address: str | None) -> None:
    """Start the gRPC server.

    It tells systemd when it is ready (Type=notify), and ends in peace on SIGTERM and Ctrl-C.

    \b
    taskgate db upgrade && taskgate server
    taskgate server --address 127.0.0.1:50052
    TASKGATE_ADDRESS=0.0.0.0:50051 TASKGATE_TLS_CERT=cert.pem TASKGATE_TLS_KEY=key.pem \\
      TASKGATE_TOKENS_FILE=tokens taskgate server
    """
