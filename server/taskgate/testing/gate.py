"""A taskgate within a test: server, record and worker in one process, and a clock to put forward.

Nothing stands in for anything but for the broker: what is published stays in the outbox, where the
worker finds it. Requests go over gRPC, to the server's own code, into a record in SQLite.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol, Self
from unittest.mock import patch

from celery import Celery

from taskgate.client import Client, State, Task, TaskUnsuccessful
from taskgate.client.errors import error_from_task
from taskgate.server.server import Surroundings
from taskgate.server.settings import ServerSettings
from taskgate.store.database import clock as store_clock
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State as RecordState
from taskgate.store.record import Task as Recorded
from taskgate.tasks.app import create_app
from taskgate.tasks.settings import Settings
from taskgate.testing import submissions
from taskgate.testing.clock import RecordClock
from taskgate.testing.serving import ServerThread
from taskgate.testing.worker import InProcessWorker, NoBroker, attached

MOST_ATTEMPTS = 1_000
"""Of what is run in one call: a task that submits itself again would never end."""

_IDLE_SECONDS = 0.02
"""Between two looks at what another thread has to do, or has done."""

_KEPT = frozenset({"TASKGATE_CONTEXT", "TASKGATE_TASKS"})
"""Settings that are about tasks; the others are about a deployment that a test must not reach."""


class NotRunnable(AssertionError):
    """The task cannot be run to its end; the message says why."""


class Identified(Protocol):
    """A task, or a handle of one."""

    @property
    def id(self) -> str: ...


class Gate:
    """A taskgate of one's own; it ends with its ``with``.

    One at a time in a process. What tasks do happens in the calls below, in the thread that makes
    them, or in ``working``.
    """

    def __init__(self, folder: Path, app: Celery | None = None) -> None:
        """``folder``: for the record's file; made if it is not there.

        ``app``: the Celery app whose tasks are run, one that ``taskgate.tasks.manage`` was given;
        if None, one with all tasks of ``taskgate.tasks.task``.
        """
        self._folder = folder
        self._given_app = app
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with self._exits as exits:
            self._open(exits)
            self._exits = exits.pop_all()
        return self

    def _open(self, exits: ExitStack) -> None:
        url = f"sqlite:///{self._folder.absolute() / 'record.db'}"
        self._folder.mkdir(parents=True, exist_ok=True)
        exits.enter_context(_own_environment())
        settings = ServerSettings(
            celery_broker_url=f"sqla+sqlite:///{self._folder.absolute() / 'broker.db'}",
            postgres_url=url,
            taskgate_address="127.0.0.1:0",
        )
        self._app = self._given_app or _own_app()
        backend = exits.enter_context(attached(self._app, url))
        self._clock = RecordClock(backend.database)
        exits.callback(self._clock.close)
        self._database = backend.database
        (self._folder / "record.db").write_bytes(_empty_record())
        self._worker = InProcessWorker(self._app, backend)
        self._worker.start(settings.taskgate_queues)
        surroundings = Surroundings(self._app, backend.database, NoBroker(self._app))
        self._server = exits.enter_context(ServerThread(settings, surroundings=surroundings))
        self.client: Client = exits.enter_context(Client(self.address))
        """Connected to the gate."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exits.close()

    @property
    def address(self) -> str:
        """Where the gate answers gRPC, ``host:port``, for the clients of what is tested."""
        return self._server.address

    # What was submitted.

    def tasks(self, task_type: str | None = None) -> list[Task]:
        """All tasks, or those of a type, the oldest first."""
        types = () if task_type is None else (task_type,)
        return list(self.client.list(task_types=types, full=True))[::-1]

    def submitted(self, task_type: str, /, *args: Any, **kwargs: Any) -> Task:
        """The one task of the type that was submitted with these arguments; any, if none are given.

        It does not matter which of them were given by name. ``unittest.mock.ANY`` is like any.

        Raises:
            AssertionError: there is none, or more than one; the message lists what there is.
        """
        __tracebackhide__ = True
        fitting = self._fitting(task_type, args, kwargs)
        if len(fitting) != 1:
            wanted = submissions.call_text(task_type, args, kwargs, is_any=not (args or kwargs))
            raise AssertionError(submissions.mismatch(wanted, task_type, fitting, self.tasks()))
        return fitting[0]

    def not_submitted(self, task_type: str, /, *args: Any, **kwargs: Any) -> None:
        """See that no such task was submitted; arguments are as for ``submitted``.

        Raises:
            AssertionError: there is one; the message lists what there is.
        """
        __tracebackhide__ = True
        fitting = self._fitting(task_type, args, kwargs)
        if fitting:
            listed = "\n".join(f"  {submissions.task_text(task)}" for task in fitting)
            raise AssertionError(f"this was submitted:\n{listed}")

    def _fitting(self, task_type: str, args: Any, kwargs: Any) -> list[Task]:
        found = self.tasks(task_type)
        if not (args or kwargs):
            return found
        function = getattr(self._app.tasks.get(task_type), "run", None)
        wanted = submissions.bound(function, args, kwargs)
        return [t for t in found if submissions.bound(function, t.args, t.kwargs) == wanted]

    # Running it.

    def run(self, task: Identified | str) -> Task:
        """Run a task to its end, however it ends: every attempt, and no other task.

        Where it waits for a time, its delay or the next attempt, the clock is put forward.

        Raises:
            NotRunnable: it waits for something else, or does not end.
        """
        __tracebackhide__ = True
        task_id = _id_of(task)
        for _ in range(MOST_ATTEMPTS):
            self._worker.dispatch()
            found = self._worker.find(task_id)
            if found.is_final:
                return self.client.task(task_id).get()
            if task_id in self._worker.waiting():
                if not self._worker.run(found):
                    raise NotRunnable(_not_run(found))
                continue
            self._travel_until_due(found)
        raise NotRunnable(f"task {task_id} has not ended after {MOST_ATTEMPTS} attempts")

    def result(self, task: Identified | str) -> Any:
        """Run a task to its end; what it returned.

        Raises:
            taskgate.client.TaskFailed: it failed; with the traceback as a note.
            taskgate.client.TaskAborted: it was aborted.
            taskgate.client.TaskExpired: it expired.
            NotRunnable: it cannot be run.
        """
        ended = self.run(task)
        if ended.state is State.SUCCEEDED:
            return ended.result
        error: TaskUnsuccessful = error_from_task(ended)
        if ended.error is not None and ended.error.traceback:
            error.add_note(ended.error.traceback)
        raise error

    def run_due(self) -> list[Task]:
        """Run whatever is due, and what becomes due by that; the clock stays.

        Returns what was run, in the order in which it began first.

        Raises:
            NotRunnable: there is no end to it.
        """
        __tracebackhide__ = True
        ran: dict[str, None] = {}
        tried: set[tuple[str, int]] = set()
        for _ in range(MOST_ATTEMPTS):
            self._worker.dispatch()
            found = [self._worker.find(one) for one in self._worker.waiting()]
            new = next((one for one in found if (one.id, one.attempt) not in tried), None)
            if new is None:
                return [self.client.task(task_id).get() for task_id in ran]
            tried.add((new.id, new.attempt))
            if self._worker.run(new):
                ran[new.id] = None
        raise NotRunnable(f"{MOST_ATTEMPTS} attempts were run, and more are due")

    def run_all(self) -> list[Task]:
        """Run everything until nothing waits, with the clock put forward to each due time.

        Returns what was run, in the order in which it began first.

        Raises:
            NotRunnable: there is no end to it.
        """
        __tracebackhide__ = True
        ran: dict[str, Task] = {}
        for _ in range(MOST_ATTEMPTS):
            ran.update({task.id: task for task in self.run_due()})
            seconds = self._worker.seconds_until_due()
            if seconds is None:
                return list(ran.values())
            self._advance(seconds)
        raise NotRunnable(f"the clock went forward {MOST_ATTEMPTS} times, and more is to come")

    @contextmanager
    def running(self, task: Identified | str) -> Iterator[None]:
        """Within it, the task runs in another thread; at its end, the task's attempt has ended.

        So a test can abort it meanwhile, or look at its progress.

        Raises:
            NotRunnable: it cannot be run now.
        """
        self._worker.dispatch()
        found = self._worker.find(_id_of(task))
        if found.id not in self._worker.waiting():
            raise NotRunnable(f"task {found.id}, {found.state}, is not due now")
        thread = threading.Thread(target=self._worker.run, args=(found,), name="taskgate-task")
        thread.start()
        try:
            while thread.is_alive() and self._worker.find(found.id).version == found.version:
                thread.join(_IDLE_SECONDS)
            if self._worker.find(found.id).version == found.version:
                raise NotRunnable(_not_run(found))
            yield
        finally:
            thread.join()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Within it, whatever becomes due is run in another thread, for tests that wait for it."""
        stopping = threading.Event()

        def work() -> None:
            while not stopping.wait(_IDLE_SECONDS):
                self.run_due()

        thread = threading.Thread(target=work, name="taskgate-worker")
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    # Its clock.

    @property
    def now(self) -> datetime:
        """The time by the record's clock, in UTC."""
        with self._database.read() as tx:
            return store_clock.read(tx)

    def travel(self, by: timedelta | float) -> None:
        """Put the record's clock forward, by seconds if it is a number, and expire what expires.

        Nothing is run: see ``run_due``. The process's own clock stays as it is.

        Raises:
            ValueError: it is negative.
        """
        self._clock.advance(by if isinstance(by, timedelta) else timedelta(seconds=by))
        self._worker.dispatch()

    def _travel_until_due(self, task: Recorded) -> None:
        seconds = self._worker.seconds_until_due(task.id)
        if seconds is None:
            raise NotRunnable(_not_run(task))
        self._advance(seconds)

    def _advance(self, seconds: float) -> None:
        # SQLite's clock has milliseconds.
        self._clock.advance(timedelta(seconds=max(seconds, 0.0) + 0.001))


@cache
def _own_app() -> Celery:
    """Made once: Celery knows its apps for as long as the process lives."""
    app = create_app(Settings())
    app.loader.import_default_modules()
    return app


@cache
def _empty_record() -> bytes:
    """A record's file with nothing in it: to make its tables takes longer than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "record.db")
        database = Database(f"sqlite:///{file}")
        schema.upgrade(database)
        database.close()
        return file.read_bytes()


@contextmanager
def _own_environment() -> Iterator[None]:
    """Meanwhile, no setting in the environment leads to a deployment."""
    with patch.dict(os.environ):
        for name in list(os.environ):
            if name.startswith(("TASKGATE_", "CELERY_", "POSTGRES_URL")) and name not in _KEPT:
                del os.environ[name]
        yield


def _not_run(task: Recorded) -> str:
    why = {
        RecordState.QUEUED: "its queue or task type may be paused",
        RecordState.RUNNING: "it runs already",
        RecordState.ABORTING: "it runs already",
    }
    return f"task {task.id}, {task.state}, is not run: {why.get(task.state, 'it is not due')}"


def _id_of(task: Identified | str) -> str:
    return task if isinstance(task, str) else task.id
