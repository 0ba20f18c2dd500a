"""Systems that run tasks: how each is given tasks, gets a worker, and is asked what has ended."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.pool import NullPool

from bench.environment import PEERS, PROGRAMS, Environment
from support.deployment import Deployment
from support.processes import Process
from taskgate.v1 import task_service_pb2

BATCH = 500


@dataclass(frozen=True, slots=True)
class Pool:
    """How many tasks a worker runs at once, and by what."""

    kind: str
    slots: int

    def __str__(self) -> str:
        return f"{self.kind} {self.slots}"

    @property
    def of_celery(self) -> list[str]:
        """A Celery worker's options."""
        return [f"--pool={self.kind}", f"--concurrency={self.slots}", "--loglevel=warning"]


PREFORK = Pool("prefork", 2)
THREADS = Pool("threads", 10)


class TaskSystem(ABC):
    """A queue of tasks with a worker."""

    name: str

    @abstractmethod
    def fill(self, task: str, number: int) -> None:
        """Have so many tasks wait for a worker."""

    @abstractmethod
    def start_worker(self, exits: ExitStack, pool: Pool, journal: Path) -> Process:
        """Start a worker; it may not be ready yet."""

    @abstractmethod
    def ended(self) -> int:
        """How many tasks have ended well so far, by its own account."""


class Taskgate(TaskSystem):
    """taskgate, given its tasks over gRPC."""

    name = "taskgate"

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._stub = deployment.stub()

    def fill(self, task: str, number: int) -> None:
        for first in range(0, number, BATCH):
            batch = task_service_pb2.SubmitBatchRequest()
            for n in range(first, min(first + BATCH, number)):
                batch.requests.add(task_type=f"bench.{task}").args.append(n)
            answer = self._stub.SubmitBatch(batch, timeout=60)
            refused = [one.error for one in answer.results if one.HasField("error")]
            if refused:
                raise RuntimeError(f"{len(refused)} tasks were refused: {refused[0]}")

    def start_worker(self, exits: ExitStack, pool: Pool, journal: Path) -> Process:
        process = self.deployment.start(
            "taskgate", "worker", *pool.of_celery, env={"BENCH_JOURNAL": str(journal)}
        )
        exits.callback(process.stop)
        return process

    def ended(self) -> int:
        with self.deployment.database.read() as tx:
            statement = "SELECT count(*) FROM taskgate_tasks WHERE state = 'SUCCEEDED'"
            return int(tx.execute(sqlalchemy.text(statement)).scalar_one())


class Peer(TaskSystem):
    """A system whose worker and whose sender are commands of the peers' environment."""

    def __init__(self, environment: Environment, env: Mapping[str, str]) -> None:
        self._environment = environment
        self._unused = environment.new_folder("peer") / "journal"
        self.env = {"BENCH_JOURNAL": str(self._unused), "PYTHONPATH": str(PROGRAMS), **env}

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of ours with the peer's Python; what it printed."""
        command = [str(PEERS / "python"), program, *arguments]
        done = subprocess.run(
            command, cwd=PROGRAMS, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _start(self, exits: ExitStack, journal: Path, command: str, *options: str) -> Process:
        env = {**self.env, "BENCH_JOURNAL": str(journal)}
        return self._environment.start(exits, PEERS / command, *options, env=env)


class Stock(Peer):
    """Stock Celery, with results in Redis or in a database."""

    def __init__(self, environment: Environment, name: str, broker: str, backend: str) -> None:
        super().__init__(environment, {"BENCH_BROKER": broker, "BENCH_BACKEND": backend})
        self.name = name
        self._backend = backend

    def fill(self, task: str, number: int) -> None:
        self.run("stock.py", task, str(number), "0")

    def start_worker(self, exits: ExitStack, pool: Pool, journal: Path) -> Process:
        return self._start(exits, journal, "celery", "-A", "stock", "worker", *pool.of_celery)

    def ended(self) -> int:
        if self._backend.startswith("redis"):
            client: Any = self._environment.redis_database(self._backend)
            return sum(1 for _ in client.scan_iter("celery-task-meta-*", count=5_000))
        url = self._backend.removeprefix("db+")
        return _count(url, "celery_taskmeta", "status = 'SUCCESS'")


class Dramatiq(Peer):
    """dramatiq, which keeps no results: what has ended is what is in Redis no more."""

    name = "dramatiq 2x5"

    def __init__(self, environment: Environment, broker: str) -> None:
        super().__init__(environment, {"BENCH_BROKER": broker})
        self._broker = broker
        self._sent = 0

    def fill(self, task: str, number: int) -> None:  # noqa: ARG002 - it has one task
        self.run("with_dramatiq.py", str(number))
        self._sent += number

    def start_worker(self, exits: ExitStack, pool: Pool, journal: Path) -> Process:  # noqa: ARG002
        options = ("--processes", "2", "--threads", "5", "with_dramatiq")
        return self._start(exits, journal, "dramatiq", *options)

    def ended(self) -> int:
        client: Any = self._environment.redis_database(self._broker)
        return self._sent - int(client.hlen("dramatiq:default.msgs"))


class Procrastinate(Peer):
    """procrastinate, which keeps its jobs in PostgreSQL."""

    name = "procrastinate 10"

    def __init__(self, environment: Environment, database: str) -> None:
        super().__init__(environment, {"BENCH_BROKER": database})
        self._database = database
        with environment.start(
            environment.exits, PEERS / "procrastinate", *_APP, "schema", "--apply", env=self.env
        ) as schema:
            schema.wait()

    def fill(self, task: str, number: int) -> None:  # noqa: ARG002 - it has one task
        self.run("with_procrastinate.py", str(number))

    def start_worker(self, exits: ExitStack, pool: Pool, journal: Path) -> Process:  # noqa: ARG002
        options = (*_APP, "--log-level", "warning", "worker", "--concurrency", "10")
        return self._start(exits, journal, "procrastinate", *options)

    def ended(self) -> int:
        return _count(self._database, "procrastinate_jobs", "status = 'succeeded'")


_APP = ("--app", "with_procrastinate.app")


def _count(url: str, table: str, condition: str) -> int:
    engine = sqlalchemy.create_engine(with_psycopg2(url), poolclass=NullPool)
    with engine.connect() as tx:
        if not sqlalchemy.inspect(tx).has_table(table):
            return 0
        statement = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608 - our own words
        return int(tx.execute(sqlalchemy.text(statement)).scalar_one())


def with_psycopg2(url: str) -> str:
    """The URL such that SQLAlchemy 2.1 takes psycopg2."""
    return url.replace("postgresql://", "postgresql+psycopg2://")
