"""A restart of the server, in good order or not, is seen by no caller, whatever its language.

A language's program is called with the server's address. Until a line comes on stdin it repeats,
several times at once and with a short pause in between:

- Submit, twice with one request id, which must give one task;
- Get with a wait of a second, of a task that is due later;
- List;

and it has, for each of a few such tasks, one wait until its end and one watch with ever newer
versions. It writes ``READY`` when all of them run. At the line it makes each repeated call once
more, aborts the tasks, expects that waits and watches end as ABORTED, and writes one JSON object:
``{"calls": {"submit": 1, "get": 1, "list": 1, "wait": 1, "watch": 1}, "errors": [text, …]}``. It
counts the calls by what they were and has what each caller saw of an error.
"""

from __future__ import annotations

import json
import operator
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from support.clients import Command, go, java_command, node_command
from support.deployment import Deployment
from support.processes import Process
from support.serving import register
from support.waiting import wait_until
from taskgate.store.tables import tasks

pytestmark = pytest.mark.timeout(600)  # the first build of a client fetches its dependencies

ENDS: Sequence[Callable[[Process], int]] = (Process.stop, Process.kill, Process.stop)

BUSY = 40
"""How many tasks are submitted between two restarts, at least."""


@dataclass(frozen=True)
class Program:
    """The program of a language."""

    language: str
    build: Callable[[Path], Command]
    """Builds it, in a folder for what is made; returns its command."""


def _go(folder: Path) -> Command:
    go("build", "-o", folder / "program", "./internal/restarts")
    return [folder / "program"]


def _typescript(_folder: Path) -> Command:
    return node_command("restarts/main.js")


def _java(_folder: Path) -> Command:
    return java_command("dev.taskgate.restarts.Main")


def _python(waits: str) -> Callable[[Path], Command]:
    return lambda _folder: [sys.executable, Path(__file__).parent / f"python_{waits}.py"]


PROGRAMS = [
    Program("go", _go),
    Program("typescript", _typescript),
    Program("java", _java),
    Program("python-threads", _python("threads")),
    Program("python-asyncio", _python("asyncio")),
]


class Service:
    """A server that is restarted while it is called."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._server: Process = deployment.start_server()
        self.address = deployment.address

    def restart(self, end: Callable[[Process], int]) -> None:
        """Once calls get through, end the server and start another one in its place."""
        before = self._recorded()
        wait_until(lambda: self._recorded() >= before + BUSY, 60, "calls get through")
        end(self._server)
        self._server = self._deployment.start_server()

    def _recorded(self) -> int:
        with self._deployment.database.read() as tx:
            return tx.execute(select(func.count()).select_from(tasks)).scalar_one()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("restarts")
    with Deployment(
        folder,
        broker_url=f"sqla+sqlite:///{folder}/broker.db",
        database_url=f"sqlite:///{folder}/record.db",
    ) as deployment:
        register(deployment.database, "demo.add")
        yield Service(deployment)


@pytest.mark.parametrize("program", PROGRAMS, ids=operator.attrgetter("language"))
def test_no_caller_sees_a_restart(service: Service, program: Program, tmp_path: Path) -> None:
    command = program.build(tmp_path)
    with (
        (tmp_path / "stderr").open("w+") as errors,
        subprocess.Popen(
            [*command, service.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            report = _restart_under(process, service)
        except BaseException as error:
            process.kill()
            error.add_note((tmp_path / "stderr").read_text())
            raise
    assert not report["errors"]
    calls = report["calls"]
    assert calls.keys() >= {"submit", "get", "list", "wait", "watch"}
    assert calls["submit"] > len(ENDS) * BUSY


def _restart_under(process: subprocess.Popen[str], service: Service) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    for end in ENDS:
        service.restart(end)
    output, _ = process.communicate("\n", timeout=150)
    report: dict[str, Any] = json.loads(output)
    return report
