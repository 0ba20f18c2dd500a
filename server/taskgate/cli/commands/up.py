"""``taskgate up``: server and worker together, on one machine."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from taskgate.cli import exits
from taskgate.cli.commands.worker import CELERY, WORKER
from taskgate.cli.connection import DEFAULT_ADDRESS
from taskgate.cli.dashboard import is_installed as dashboard_is_installed
from taskgate.cli.exits import CommandError
from taskgate.cli.output.terminal import write
from taskgate.cli.readiness import Readiness
from taskgate.cli.settings import load_settings, loglevel_option, translate_store_errors
from taskgate.cli.supervisor import PartDied, StopRequested, Supervisor
from taskgate.server.settings import ANY_PORT, ServerSettings
from taskgate.store import workers
from taskgate.store.database import schema
from taskgate.store.database.engine import Database

_NO_ROOT_WARNING = "ignore:You're running the worker with superuser privileges"
"""For Python's -W. Celery says so in eight lines because of pickle, which our workers refuse."""

_SERVER = (sys.executable, "-m", "taskgate.cli", "server")

_CONCURRENCY = max(4, os.cpu_count() or 1)
"""Tasks wait for others more than they compute: a small machine runs some at once too."""

_GRPCURL_REQUEST = '{"task_type": "demo.add", "args": [2, 3]}'

_ORPHAN_SECONDS = 30.0
"""How long a part may take to end after the other one died."""


@click.command()
@click.option("--address", metavar="HOST:PORT", help="Where to serve, instead of TASKGATE_ADDRESS.")
@click.option(
    "--tasks",
    metavar="MODULES",
    help="Modules with your tasks, a,b.c, instead of TASKGATE_TASKS.",
)
@click.option("--queues", metavar="NAMES", help="The worker's queues, a,b.")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=_CONCURRENCY,
    show_default=True,
    help="How many tasks run at once.",
)
@click.option(
    "--pool",
    type=click.Choice(["prefork", "threads", "solo"]),
    default="prefork",
    show_default=True,
    help="How the worker runs tasks. Only prefork can end one by force or at its time limit.",
)
@loglevel_option("WARNING", "How much server and worker write.")
def command(
    address: str | None,
    tasks: str | None,
    queues: str | None,
    concurrency: int,
    pool: str,
    loglevel: str,
) -> None:
    """Start server, worker and, if it is installed, the dashboard, until Ctrl-C.

    With nothing configured, tasks and messages are kept in SQLite files under .taskgate/ here.
    The tables are created and brought up to date first.

    \b
    taskgate up
    taskgate up --tasks mytasks                tasks of your own, from ./mytasks.py
    taskgate up --address 127.0.0.1:50052 --concurrency 8
    POSTGRES_URL=postgresql://localhost/tasks CELERY_BROKER_URL=redis://localhost taskgate up
    """
    settings = load_settings(ServerSettings, taskgate_address=address, taskgate_tasks=tasks)
    given = {"TASKGATE_ADDRESS": address, "TASKGATE_TASKS": tasks}
    environment = {name: value for name, value in given.items() if value}
    dashboard = {"TASKGATE_WEB_ADDRESS": _dashboard_address(os.environ)}
    level = f"--loglevel={loglevel}"
    worker_options = [f"--pool={pool}", f"--concurrency={concurrency}", level]
    worker_options += [f"--queues={queues}"] if queues else []
    with translate_store_errors(), Readiness() as readiness, _database(settings) as database:
        schema.upgrade(database)
        supervisor = Supervisor()
        with _all_or_none(supervisor):
            told = {**environment, **dashboard, **readiness.environment}
            supervisor.start("server", [*_SERVER, level], told)
            python, *celery = CELERY
            worker = [python, "-W", _NO_ROOT_WARNING, *celery, "--quiet", *WORKER, *worker_options]
            worker_pid = supervisor.start("worker", worker, environment)
            where = supervisor.run_until(readiness.address)
            supervisor.run_until(lambda: _has_registered(database, worker_pid))
            write(_welcome(settings, where, readiness.dashboard_url))
            supervisor.run_until(lambda: None)


@contextmanager
def _database(settings: ServerSettings) -> Iterator[Database]:
    database = Database(settings.postgres_url, pool_size=1)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _all_or_none(supervisor: Supervisor) -> Iterator[None]:
    """Whatever ends the command, the parts end with it."""
    try:
        yield
    except StopRequested:
        write("Stopping once running tasks have ended; Ctrl-C again ends them.", err=True)
        supervisor.stop()
    except PartDied as death:
        supervisor.stop(limit=_ORPHAN_SECONDS)
        raise CommandError(str(death), exit_code=exits.FAILED) from death
    except BaseException:
        supervisor.stop(limit=_ORPHAN_SECONDS)
        raise


def _has_registered(database: Database, pid: int) -> bool:
    with database.read() as tx:
        return any(w.is_alive and w.details["pid"] == pid for w in workers.list_all(tx))


def _dashboard_address(environment: Mapping[str, str]) -> str:
    """Where the dashboard is to be: as said, or on a port of this machine if it is installed."""
    return environment.get("TASKGATE_WEB_ADDRESS", ANY_PORT if dashboard_is_installed() else "")


def _welcome(settings: ServerSettings, address: str, dashboard_url: str) -> str:
    dashboard = f"\nThe dashboard is at {dashboard_url}\n" if dashboard_url else ""
    return f"""
taskgate serves on {address}. Ctrl-C stops it. Submit a task:

  {_grpcurl_line(settings, address)}
  {_submit_line(address, os.environ)}
{dashboard}"""


def _grpcurl_line(settings: ServerSettings, address: str) -> str:
    """Submit demo.add with grpcurl."""
    words = ["grpcurl", *_grpcurl_security(settings)]
    line = shlex.join([*words, "-d", _GRPCURL_REQUEST])
    if settings.taskgate_tokens_file is not None:
        line += ' -H "authorization: Bearer $TASKGATE_TOKEN"'
    target = ["-unix", address.removeprefix("unix:")] if address.startswith("unix:") else [address]
    return f"{line} {shlex.join([*target, 'taskgate.v1.TaskService/Submit'])}"


def _submit_line(address: str, environment: Mapping[str, str]) -> str:
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
