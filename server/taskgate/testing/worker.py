"""Running tasks here: what a worker does with a message, one at a time and when it is asked to."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import Celery, _state
from kombu.message import Message
from kombu.serialization import dumps
from sqlalchemy import select

from taskgate.store import queries, workers
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.store.tables import outbox, tasks
from taskgate.tasks import replacing, sending
from taskgate.tasks.backend import RecordBackend
from taskgate.tasks.background.dispatcher import Dispatcher
from taskgate.tasks.base import TaskgateTask
from taskgate.tasks.bodies import Body, note_content
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.messages import Messages
from taskgate.tasks.worker.steps import register_task_types

WORKER = "worker@test"

_LEASE = timedelta(days=36_500)
"""Tests put the clock forward."""


class NoBroker(Publisher):
    """In a broker's place: what is published is in the outbox until it is claimed."""

    def publish(self, tasks: Sequence[Task]) -> None:
        """Nothing: the worker looks into the outbox."""


class AppNotManaged(TypeError):
    """The Celery app was not given to ``taskgate.tasks.manage``."""


class InProcessWorker:
    """Runs the tasks of one record, in the thread that says so."""

    def __init__(self, app: Celery, backend: RecordBackend) -> None:
        self._app = app
        self._backend = backend
        self._database: Database = backend.database
        self._messages = Messages(app)
        self._publisher = NoBroker(app)

    def start(self, queues: Sequence[str]) -> None:
        """Register the task types, and be on record as a worker."""
        details = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "pool": "test",
            "concurrency": 1,
            "queues": sorted(queues),
            "can_force": False,
        }
        with self._database.write() as tx:
            workers.start(tx, WORKER, details, _LEASE)
        register_task_types(self._app, self._backend, WORKER)

    def run(self, task: Task) -> bool:
        """Run a QUEUED task's attempt to its end; whether anything came of it."""
        received = self._received(task)
        note_content(received)
        request: Any = self._app.tasks[task.task_type].Request
        _load(request)(received, app=self._app, hostname=WORKER).execute()
        now = self.find(task.id)
        return (now.version, now.attempt) != (task.version, task.attempt)

    def dispatch(self) -> None:
        """See to what is due, overdue or paused by now, as servers and workers do all the time."""
        # A new one: this one does not know how long ago, by the record's clock, it looked before.
        Dispatcher(self._database, self._publisher).poll()

    def find(self, task_id: str) -> Task:
        """The task.

        Raises:
            TaskNotFound: no task has the id.
        """
        with self._database.read() as tx:
            return queries.get(tx, task_id)

    def waiting(self) -> list[str]:
        """The ids of what can be run now, in the order in which a broker would deliver it."""
        with self._database.read() as tx:
            return list(tx.execute(_WAITING).scalars())

    def seconds_until_due(self, task_id: str | None = None) -> float | None:
        """Until the task is due, or the first of all that wait; None if none does."""
        due = _DUE if task_id is None else _DUE.where(outbox.c.task_id == task_id)
        with self._database.read() as tx:
            return tx.execute(due).scalars().first()

    def _received(self, task: Task) -> Message:
        """The message of the task's attempt, as a worker would receive it."""
        message = self._messages.of(task)
        kept = message.body if isinstance(message.body, Body) else None
        content_type, encoding, data = kept or dumps(message.body, "json")
        body: Any = data  # bytes or text, whatever its stubs say
        return Message(
            body=body,
            content_type=content_type,
            content_encoding=encoding,
            accept=None,
            headers=dict(message.headers),
            properties=dict(message.properties),
            delivery_info={"exchange": "", "routing_key": task.queue, "redelivered": False},
        )


_WAITING = (
    select(outbox.c.task_id)
    .join(tasks, tasks.c.id == outbox.c.task_id)
    .where(tasks.c.state == State.QUEUED, outbox.c.held_by.is_(None))
    .order_by(outbox.c.priority.desc(), outbox.c.published_at, outbox.c.task_id)
)

_DUE = (
    select(clock.between(clock.now(), outbox.c.publish_at))
    .where(outbox.c.published_at.is_(None), outbox.c.held_by.is_(None))
    .order_by(outbox.c.publish_at)
)


def _load(name: Any) -> Any:
    """The class of a task type's requests, which Celery names by a text."""
    if isinstance(name, str):
        module, _, attribute = name.replace(":", ".").rpartition(".")
        return getattr(__import__(module, fromlist=[attribute]), attribute)
    return name


@contextmanager
def attached(app: Celery, record_url: str) -> Iterator[RecordBackend]:
    """Meanwhile, the app's tasks are recorded there, and what it sends is recorded at once.

    Raises:
        AppNotManaged: the app knows no record.
    """
    any_app: Any = app
    state: Any = _state  # of which its stubs leave much out
    app.finalize()
    if not issubclass(app.Task, TaskgateTask):
        raise AppNotManaged(f"call taskgate.tasks.manage with {app!r} once it is configured")
    backend = RecordBackend(app, record_url)
    before = (any_app._backend_cache, app.conf.result_backend, app.conf.broker_url)  # noqa: SLF001 - Celery has no other way
    current = (state._tls.current_app, state.default_app)  # noqa: SLF001 - as above
    any_app._backend_cache = backend  # noqa: SLF001
    app.conf.update(result_backend=f"taskgate+{record_url}", broker_url="memory://localhost//")
    sending.use_ours(app, _Recorded(app, backend.database))
    app.set_current()
    app.set_default()
    _forget_tracers(app)
    try:
        yield backend
    finally:
        _forget_tracers(app)
        sending.use_ours(app)
        any_app._backend_cache, result_backend, broker_url = before  # noqa: SLF001
        app.conf.update(result_backend=result_backend, broker_url=broker_url)
        state._set_current_app(current[0])  # noqa: SLF001
        state.set_default_app(current[1])
        backend.database.close()


def _forget_tracers(app: Celery) -> None:
    """Celery builds them once for each task, around the backend."""
    for task in app.tasks.values():
        task.__trace__ = None


class _Recorded:
    """Where messages go that the app sends: into the record, as those that wait for a broker."""

    def __init__(self, app: Celery, database: Database) -> None:
        self._app = app
        self._database = database

    def __call__(self, producer: Any, name: str, message: Any, **options: Any) -> None:
        """Record the task that the message is of."""
        del producer, name
        with self._database.write() as tx:
            replacing.record_unsent(tx, sending.unsent_of(self._app, message, options))
