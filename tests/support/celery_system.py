"""A deployment as a Celery program of someone who uses it sees it."""

from __future__ import annotations

from dataclasses import dataclass

from celery import Celery

from support.deployment import Deployment
from support.journal import Journal
from support.processes import Process
from support.waiting import wait_until
from taskgate.store import queries
from taskgate.store.record import Task


@dataclass
class System:
    """A deployment, its worker, and a Celery program of someone who uses it."""

    deployment: Deployment
    worker: Process
    app: Celery
    pool: str

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

    def wait_log(self, text: str) -> None:
        wait_until(lambda: text in self.worker.output, 30, f"the worker logs {text!r}")
