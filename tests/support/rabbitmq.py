"""A RabbitMQ server."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import amqp

from support.ports import free_port
from support.processes import Process
from support.require import require
from support.server import Server

VHOSTS_AT_ONCE = 8  # a call of rabbitmqctl costs about a second, however much it does


class RabbitMQServer(Server):
    """RabbitMQ, with an epmd (Erlang's port mapper) of its own that ends with it."""

    name = "rabbitmq"

    def __init__(self, *options: str) -> None:
        super().__init__(*options)
        self._epmd_port = free_port()
        self._distribution_port = free_port()
        self._epmd: Process | None = None
        self._made = 0
        self._unused: list[str] = []

    def command(self) -> Sequence[str | Path]:
        return [require("rabbitmq-server"), *self.options]

    def env(self) -> Mapping[str, str]:
        folder = self.folder
        return {
            "HOME": str(folder),  # Erlang keeps its cookie there
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"taskgate{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
            "RABBITMQ_ENABLED_PLUGINS": "",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # Listens on loopback only, for rabbitmqctl.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def start(self) -> None:
        self._start_epmd()
        super().start()

    def is_ready(self) -> bool:
        try:
            with amqp.Connection(f"127.0.0.1:{self.port}"):
                return True
        except (OSError, amqp.AMQPError):
            return False

    def close(self) -> None:
        super().close()
        if self._epmd is not None:
            self._epmd.kill()

    def url(self, vhost: str = "") -> str:
        """Return a virtual host's address, as CELERY_BROKER_URL takes it."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{vhost}"

    def empty_vhost(self) -> str:
        """Return the address of a virtual host that nobody has used."""
        if not self._unused:
            self._unused = self._make_vhosts()
        return self.url(self._unused.pop())

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl; returns what it printed."""
        done = subprocess.run(
            [require("rabbitmqctl"), *arguments],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.env()},
            cwd=self.folder,
        )
        return done.stdout

    def _make_vhosts(self) -> list[str]:
        names = [f"test{self._made + number}" for number in range(VHOSTS_AT_ONCE)]
        self._made += len(names)
        self.control("eval", " ".join(map(_make_vhost, names)) + " ok.")
        return names

    def _start_epmd(self) -> None:
        if self._epmd is not None:
            return
        log = self.folder / "epmd.log"
        self._epmd = Process([require("epmd")], log=log, env=self.env())
        self._epmd.wait_ready(self._epmd_answers)

    def _epmd_answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._epmd_port)) == 0


def _make_vhost(name: str) -> str:
    everything = '<<".*">>, <<".*">>, <<".*">>'
    return (
        f'rabbit_vhost:add(<<"{name}">>, <<"test">>), '
        "rabbit_auth_backend_internal:set_permissions("
        f'<<"guest">>, <<"{name}">>, {everything}, <<"test">>),'
    )
