"""Where everything runs: servers on loopback with default durability, and processes' folders."""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg2
from redis import Redis

from support.deployment import Deployment
from support.postgres import PostgresServer
from support.processes import Process
from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "benchmarks" / "programs"
PEERS = ROOT / ".venv-bench" / "bin"
"""The commands of the peers' environment."""

OURS = Path(sys.executable).parent

REDIS_DEFAULT = ("--save", "3600 1 300 100 60 10000")
POSTGRES_DEFAULT = ("fsync=on", "full_page_writes=on")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    rounds: int
    tasks: int
    """No-op tasks of a run; slower tasks are fewer."""
    calls: int
    """Calls of a run with many in flight."""
    samples: int
    """Calls of a run with one at a time."""
    watched: int
    finished: int
    """Finished tasks of a large record; a tenth as many wait."""


WHOLE = Scale(rounds=3, tasks=2_000, calls=4_000, samples=300, watched=5_000, finished=1_000_000)
QUICK = Scale(rounds=1, tasks=300, calls=1_000, samples=50, watched=500, finished=20_000)


class Environment:
    """Servers that start when they are first used, and end with what runs on them."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        self.folder = folder
        self.exits = exits
        self._numbers = itertools.count(1)

    @cached_property
    def postgres(self) -> PostgresServer:
        return self.exits.enter_context(PostgresServer(*POSTGRES_DEFAULT))

    @cached_property
    def redis(self) -> RedisServer:
        return self.exits.enter_context(RedisServer(*REDIS_DEFAULT))

    @cached_property
    def rabbitmq(self) -> RabbitMQServer:
        return self.exits.enter_context(RabbitMQServer())

    def new_folder(self, name: str) -> Path:
        """An empty folder."""
        folder = self.folder / f"{next(self._numbers):03}-{name}"
        folder.mkdir()
        return folder

    def new_database(self) -> str:
        """The address of an empty database in PostgreSQL."""
        return self.postgres.create_database(f"bench_{next(self._numbers)}")

    def redis_database(self, url: str) -> Redis:
        """A client of a database in Redis."""
        return self.redis.client(int(url.rpartition("/")[2]))

    def messages(self, url: str) -> int:
        """How many messages of Celery's wait in a database of Redis."""
        client: Any = self.redis_database(url)
        queues = [key for key in client.scan_iter("celery*") if client.type(key) == b"list"]
        return sum(client.llen(key) for key in queues)

    def deployment(self, exits: ExitStack, broker_url: str, database_url: str) -> Deployment:
        """A taskgate whose server runs."""
        deployment = self.idle_deployment(exits, broker_url, database_url)
        deployment.start_server()
        return deployment

    def idle_deployment(self, exits: ExitStack, broker_url: str, database_url: str) -> Deployment:
        """A taskgate whose task types are registered, and that does not run yet."""
        folder = self.new_folder("taskgate")
        env = {
            "PYTHONPATH": f"{PROGRAMS}:{ROOT / 'tests'}",
            "TASKGATE_TASKS": "bench_tasks",
            "BENCH_JOURNAL": str(folder / "unused"),
        }
        deployment = exits.enter_context(
            Deployment(folder, broker_url=broker_url, database_url=database_url, env=env)
        )
        deployment.start_worker("--pool=threads", "--concurrency=1").stop()
        return deployment

    def start(
        self, exits: ExitStack, command: str | Path, *options: str, env: Mapping[str, str]
    ) -> Process:
        """Start a program of ours or of a peer, beside ``programs/``."""
        process = Process(
            [command, *options],
            log=self.new_folder("program") / "log",
            env={"PYTHONPATH": str(PROGRAMS), **env},
            cwd=PROGRAMS,
        )
        exits.callback(process.stop)
        return process


def execute_alone(url: str, statement: str) -> None:
    """Execute a statement of PostgreSQL's that no transaction may contain."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def missing() -> list[str]:
    """Which of the programs that are needed are not installed."""
    peers = [PEERS / name for name in ("celery", "dramatiq", "gunicorn", "procrastinate")]
    return [
        *(str(path.relative_to(ROOT)) for path in peers if not path.exists()),
        *(name for name in ("h2load",) if shutil.which(name) is None),
    ]
