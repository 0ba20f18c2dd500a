"""A deployment as a Celery program of someone who uses it sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from support.deployment import Deployment
from support.journal import Journal
from support.processes import Process
from support.waiting import wait_until
from taskgate.store import outbox, queries, submission
from taskgate.store.record import Failure, NewTask, Task, new_task_id


@dataclass
class System:
    """A deployment, its worker, and a Celery program of someone who uses it."""

    deployment: Deployment
    worker: Process
    app: Any  # Celery, of which its stubs leave much out

    @property
    def journal(self) -> Journal:
        return self.deployment.journal

    def task(self, task_id: str) -> Task:
        with self.deployment.database.read() as tx:
            return queries.get(tx, task_id)

    def wait_final(self, task_id: str, timeout: float = 30) -> Task:
        def is_final() -> bool:
            with self.deployment.database.read() as tx:
                found = queries.get_many(tx, [task_id])
            return task_id in found and found[task_id].is_final

        wait_until(is_final, timeout, f"{task_id} is final")
        return self.task(task_id)

    def submit(self, task_type: str, *args: Any, queue: str = "celery", **fields: Any) -> str:
        """Record a task; the server's dispatcher publishes it."""
        task_id = new_task_id()
        arguments = json.dumps({"args": args, "kwargs": {}})
        new = NewTask(id=task_id, task_type=task_type, arguments=arguments, queue=queue, **fields)
        with self.deployment.database.write() as tx:
            submission.submit(tx, [new])
            outbox.put(tx, task_id, 1, timedelta(0))
        return task_id

    def start_worker(self, *options: str) -> Process:
        """Start another worker, with Celery's own command."""
        return start_worker(self.deployment, *options)

    def wait_log(self, text: str) -> None:
        wait_until(lambda: text in self.worker.output, 30, f"the worker logs {text!r}")


def failure_of(task: Task) -> Failure:
    """Why the task failed; an AssertionError if it did not."""
    assert task.failure is not None, task
    return task.failure


def start_worker(deployment: Deployment, *options: str) -> Process:
    """Start a worker with Celery's own command, and return when it is at work."""
    command = ("-A", "taskgate.tasks", "worker", "--loglevel=info", *options)
    worker = deployment.start("celery", *command)
    worker.wait_ready(lambda: deployment.has_worker(worker.pid))
    return worker
