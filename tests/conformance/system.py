"""The taskgate that all runners call."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import grpc

from conformance.answers import Answers
from conformance.runners import Runner
from support.certificates import self_signed
from support.deployment import Deployment
from support.ports import free_port
from support.processes import Process

CALLER, TOKEN = "tester", "open sesame"


@dataclass(frozen=True)
class Secured:
    """A server that wants TLS and TOKEN."""

    address: str
    authority: Path


class System:
    """One worker, one server for all runners, each of which is run once, and a secured server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: dict[str, Answers] = {}
        self.deployment = Deployment(
            folder,
            broker_url=f"sqla+sqlite:///{folder}/broker.db",
            database_url=f"sqlite:///{folder}/record.db",
        )

    def start(self) -> None:
        self._server: Process = self.deployment.start_server()
        self.deployment.start_worker("--concurrency=2")
        self.secured = self._start_secured()

    def restart_server(self) -> None:
        self._server.kill()
        self._server = self.deployment.start_server()

    def answers(self, runner: Runner) -> Answers:
        if runner.name not in self._answers:
            folder = self._folder / runner.name
            folder.mkdir()
            address = self.deployment.address
            self._answers[runner.name] = runner.run(folder, address, self.restart_server)
        return self._answers[runner.name]

    def _start_secured(self) -> Secured:
        address = f"127.0.0.1:{free_port()}"
        certificate = self_signed(self._folder, "server")
        tokens = self._folder / "tokens"
        tokens.write_text(f"{CALLER} {sha256(TOKEN.encode()).hexdigest()}\n")
        env = {
            "TASKGATE_ADDRESS": address,
            "TASKGATE_TLS_CERT": str(certificate.certificate),
            "TASKGATE_TLS_KEY": str(certificate.key),
            "TASKGATE_TOKENS_FILE": str(tokens),
        }
        server = self.deployment.start("taskgate", "server", env=env)
        secured = Secured(address, certificate.certificate)
        server.wait_ready(lambda: _accepts(secured))
        return secured


def _accepts(secured: Secured) -> bool:
    credentials = grpc.ssl_channel_credentials(secured.authority.read_bytes())
    with grpc.secure_channel(secured.address, credentials) as channel:
        try:
            grpc.channel_ready_future(channel).result(1)
        except grpc.FutureTimeoutError:
            return False
    return True
