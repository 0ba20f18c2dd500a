"""Command lines to paste, that work with the server that was just started."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from taskgate.cli.connection import DEFAULT_ADDRESS
from taskgate.server.settings import ServerSettings

_REQUEST = '{"task_type": "demo.add", "args": [2, 3]}'


def grpcurl_line(settings: ServerSettings, address: str) -> str:
    """Submit demo.add with grpcurl."""
    words = ["grpcurl", *_grpcurl_security(settings)]
    line = shlex.join([*words, "-d", _REQUEST])
    if settings.taskgate_tokens_file is not None:
        line += ' -H "authorization: Bearer $TASKGATE_TOKEN"'
    target = ["-unix", address.removeprefix("unix:")] if address.startswith("unix:") else [address]
    return f"{line} {shlex.join([*target, 'taskgate.v1.TaskService/Submit'])}"


def submit_line(address: str, environment: Mapping[str, str]) -> str:
    """Submit demo.add with this command."""
    words = [_this_command(), "submit", "demo.add", "2", "3", "--wait"]
    if address != environment.get("TASKGATE_ADDRESS", DEFAULT_ADDRESS):
        words += ["--address", address]
    return shlex.join(words)


def _grpcurl_security(settings: ServerSettings) -> list[str]:
    if settings.taskgate_tls_cert is None:
        return ["-plaintext"]
    words = ["-cacert", "ca.pem"]
    if settings.taskgate_tls_client_ca is not None:
        words += ["-cert", "client.pem", "-key", "client-key.pem"]
    return words


def _this_command() -> str:
    """How the user can call this command again: by its name if that is on PATH."""
    here = Path(sys.argv[0])
    found = shutil.which("taskgate")
    if here.name != "taskgate" or (found and Path(found).samefile(here)):
        return "taskgate"
    return str(here)
