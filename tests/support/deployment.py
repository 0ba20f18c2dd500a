"""A whole taskgate: one record, one broker, servers and workers as processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.journal import Journal
from support.ports import free_port
from support.processes import LOG_TAIL, Process
from taskgate.client import Client
from taskgate.store import workers
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.store.workers import Worker
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

COMMANDS = Path(sys.executable).parent
"""Where `taskgate`, `celery` and `python` are."""

TESTS = Path(__file__).parents[1]

FAULTY_COMMITS = "TASKGATE_FAULTY_COMMITS"
"""In the environment, a rate and a seed: see `faulty_commits/sitecustomize.py`."""


class Deployment:
    """Everything that runs for one test, in a folder of its own; stopped at the end of a `with`.

    Workers load the task types of `support.journal_tasks`, which write what they do to `journal`,
    and those of `support.typed_tasks`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        broker_url: str,
        database_url: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.journal = Journal(folder / "journal")
        self.address = f"127.0.0.1:{free_port()}"
        self.database = Database(database_url)
        self.env = {
            "CELERY_BROKER_URL": broker_url,
            "POSTGRES_URL": database_url,
            "PYTHONPATH": _python_path({**os.environ, **(env or {})}),
            "TASKGATE_ADDRESS": self.address,
            "TASKGATE_TASKS": "support.journal_tasks,support.typed_tasks",
            "JOURNAL_FILE": str(self.journal.path),
            **(env or {}),
        }
        self._exits = ExitStack()
        self._started = 0
        schema.upgrade(self.database)

    def start_server(self, *, address: str | None = None) -> Process:
        """Start a server and return when it is serving."""
        env = {"TASKGATE_ADDRESS": address or self.address}
        server = self.start("taskgate", "server", env=env)
        server.wait_ready(lambda: self.is_serving(address))
        return server

    def start_worker(self, *options: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a worker with Celery's own options and return when it is at work."""
        worker = self.start("taskgate", "worker", *options, env=env)
        worker.wait_ready(lambda: self.has_worker(worker.pid))
        return worker

    def start(self, command: str, *options: str, env: Mapping[str, str] | None = None) -> Process:
        """Start one of the commands that are installed beside Python; does not wait for it."""
        self._started += 1
        process = Process(
            [COMMANDS / command, *options],
            log=self.folder / f"{self._started:02}-{command}.log",
            env={**self.env, **(env or {})},
            cwd=self.folder,
        )
        self._exits.callback(process.stop)
        return process

    def run(self, command: str, *options: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command to its end; returns what it printed. An AssertionError if it failed."""
        done = subprocess.run(
            [COMMANDS / command, *options],
            env={**os.environ, **self.env, **(env or {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def client(self) -> Client:
        """A client of the server; closed with the deployment."""
        return self._exits.enter_context(Client(self.address))

    def stub(self, address: str | None = None) -> TaskServiceStub:
        """The bare calls of the server; the channel is closed with the deployment."""
        channel = grpc.insecure_channel(address or self.address, _QUICK_TO_RECONNECT)
        self._exits.callback(channel.close)
        return TaskServiceStub(channel)

    def wait_final(self, stub: TaskServiceStub, task_id: str, timeout: float = 60) -> task_pb2.Task:
        """Long-poll until the task is final; an AssertionError if it is not in time."""
        request = task_service_pb2.GetRequest(id=task_id)
        request.wait.FromMilliseconds(int(timeout * 1000))
        task = stub.Get(request, timeout=timeout + 5, wait_for_ready=True).task
        assert task.HasField("finish_time"), f"not final after {timeout} s: {task}"
        return task

    def is_serving(self, address: str | None = None) -> bool:
        """Whether the server answers, and says that it serves."""
        with grpc.insecure_channel(address or self.address) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            try:
                answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1)
            except grpc.RpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def has_worker(self, pid: int) -> bool:
        """Whether the process is a worker with a lease."""
        return any(worker.details["pid"] == pid for worker in self.workers() if worker.is_alive)

    def workers(self) -> list[Worker]:
        """All workers on record."""
        with self.database.read() as tx:
            return workers.list_all(tx)

    def published_again(self) -> int:
        """How many messages were taken for lost, as servers and workers say in their logs."""
        logs = "".join(log.read_text() for log in self.logs())
        return sum(map(int, re.findall(r"(\d+) tasks seem lost at the broker", logs)))

    def log_tails(self) -> list[tuple[str, str]]:
        """What each process wrote last, with the name of its log."""
        return [(log.name, log.read_text(errors="replace")[-LOG_TAIL:]) for log in self.logs()]

    def logs(self) -> list[Path]:
        """What each process wrote, in the order in which they started."""
        return sorted(self.folder.glob("*.log"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exits.close()
        self.database.close()
        if error is not None:
            for name, tail in self.log_tails():
                error.add_note(f"{name}:\n{tail}")


def _python_path(env: Mapping[str, str]) -> str:
    faulty = [str(TESTS / "support" / "faulty_commits")] if FAULTY_COMMITS in env else []
    return os.pathsep.join([*faulty, str(TESTS)])


# A killed server is to be found again as soon as it is back.
_QUICK_TO_RECONNECT = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
)
