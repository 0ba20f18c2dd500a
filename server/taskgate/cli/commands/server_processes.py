"""``taskgate server --processes``: several servers on one port, all of them or none.

The kernel spreads connections over the processes that listen (SO_REUSEPORT). This process only
keeps the port, and the processes.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from taskgate.cli import exits
from taskgate.cli.exits import CommandError
from taskgate.cli.readiness import Readiness, notify_ready
from taskgate.cli.supervisor import PartDied, StopRequested, Supervisor
from taskgate.server import addresses
from taskgate.server.addresses import Address, AddressUnavailable
from taskgate.server.metrics.port import MetricsPort
from taskgate.server.server import prepare
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database

PROCESS_OPTION = "--one-of-several"
"""How a process is told that it shares its port."""

_COUNTS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus-client keeps what each process counts."""

ORPHAN_SECONDS = 60.0
"""How long the others may take to end once one has died."""


def serve_in_processes(settings: ServerSettings, processes: int, loglevel: str) -> None:
    """Serve until SIGTERM or SIGINT, then have all processes answer what is under way.

    Raises:
        SchemaOutdated: the database is not a record, or not this version's.
        StoreUnavailable: the database does not answer.
        AddressUnavailable: the address cannot be listened on.
        CommandError: a process has ended, and the others with it.
    """
    supervisor = Supervisor()
    _prepare_database(settings)
    with (
        _reserved(addresses.parse(settings.taskgate_address)) as address,
        Readiness() as readiness,
        TemporaryDirectory(prefix="taskgate-metrics-") as counts,
    ):
        environment = {**readiness.environment, _COUNTS_FOLDER: counts}
        options = ["--address", address, "--loglevel", loglevel, PROCESS_OPTION]
        with _all_or_none(supervisor):
            for number in range(1, processes + 1):
                name = f"server process {number} of {processes}"
                command = [sys.executable, "-m", "taskgate.cli", "server", *options]
                # One of them is enough for the dashboard, whose sessions no other would know.
                no_dashboard = {} if number == 1 else {"TASKGATE_WEB_ADDRESS": ""}
                supervisor.start(name, command, {**environment, **no_dashboard})
            for _ in range(processes):
                supervisor.run_until(readiness.address)
            with _metrics(settings, counts):
                notify_ready(address)
                supervisor.run_until(lambda: None)


@contextmanager
def _metrics(settings: ServerSettings, counts: str) -> Iterator[None]:
    """Serve the sums of what the processes count. Not before they are forked: there are threads."""
    if not settings.taskgate_metrics_address:
        yield
        return
    sums = CollectorRegistry()
    MultiProcessCollector(sums, counts)  # type: ignore[no-untyped-call]
    port = MetricsPort(settings, sums)
    try:
        yield
    finally:
        port.stop()


def _prepare_database(settings: ServerSettings) -> None:
    """Once, not in each process at the same time."""
    database = Database(settings.postgres_url, pool_size=1)
    try:
        prepare(database)
    finally:
        database.close()


@contextmanager
def _reserved(address: Address) -> Iterator[str]:
    """The address with its port, which nobody else can take meanwhile."""
    if address.port is None:
        raise AddressUnavailable("--processes needs a TCP port: a Unix socket cannot be shared")
    if why := addresses.why_not_free(address):
        raise AddressUnavailable(f"cannot listen on {address.with_port(address.port)}: {why}")
    family, _, _, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM
    )[0]
    with socket.socket(family, socket.SOCK_STREAM) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(where)  # it never listens, so no connection comes to it
        yield address.with_port(kept.getsockname()[1])


@contextmanager
def _all_or_none(supervisor: Supervisor) -> Iterator[None]:
    try:
        yield
    except StopRequested:
        supervisor.stop()
    except PartDied as death:
        # Whoever restarts this command restarts them all; half of them would go unnoticed.
        supervisor.stop(limit=ORPHAN_SECONDS)
        raise CommandError(str(death), exit_code=exits.FAILED) from death
    except BaseException:
        supervisor.stop(limit=ORPHAN_SECONDS)
        raise
