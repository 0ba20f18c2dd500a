"""What a worker does when it starts, forks and stops: Celery's hooks for the agent."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any

import click
from celery import bootsteps, current_app
from celery.concurrency import prefork, thread
from celery.signals import worker_process_init, worker_shutdown
from celery.utils.log import get_logger

from taskgate.store import task_types
from taskgate.store.database import schema
from taskgate.tasks.backend import RecordBackend
from taskgate.tasks.background.dispatcher import WORKER_POLL_SECONDS, Dispatcher
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.background.schedules import Ticker
from taskgate.tasks.background.sweeper import Sweeper
from taskgate.tasks.base import context_factory, with_taskgate
from taskgate.tasks.brokers import sql
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.coroutines import make_callable
from taskgate.tasks.logs.capture import keep_task_logs
from taskgate.tasks.signature import definition_of
from taskgate.tasks.worker import identity
from taskgate.tasks.worker.agent import Agent, process_ender
from taskgate.tasks.worker.counts import Counts
from taskgate.tasks.worker.intake import Intake
from taskgate.tasks.worker.look_ahead import LookAhead
from taskgate.tasks.worker.recorder import SuccessRecorder, make_recorder

logger = get_logger(__name__)

LOOP_SECONDS = 5.0
"""How long a worker that stops waits for what its loops are about."""


class AgentStep(bootsteps.StartStopStep):
    """Starts the agent once the pool stands, and ends it when the worker has ended.

    Not in ``stop()``: that comes before the pool has finished what it runs.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._agent: Agent | None = None
        self._intake: Intake | None = None
        self._successes: SuccessRecorder | None = None
        self._look_ahead = LookAhead()
        self._counts = Counts()
        self._loops: list[Loop] = []
        adopt_tasks(worker.app)
        refuse_broadcasts(worker.app)
        keep_task_logs(worker.app.conf.get("taskgate_task_log_bytes", 0))
        context_factory(worker.app.conf.get("taskgate_context"))  # fails now, not at each task

    def create(self, worker: Any) -> None:
        """Make what the pool's processes must find when they are forked."""
        if _runs_beside_us(worker):
            backend = worker.app.backend
            self._successes = make_recorder(
                backend.database, on_run=self._look_ahead.observe, counts=self._counts
            )
            backend.recorder.successes = self._successes and self._successes.sender

    def start(self, worker: Any) -> None:
        """Check the schema, register the task types, and begin.

        Raises:
            SchemaOutdated: the database's tables are not those of this version.
            StoreUnavailable: the database does not answer.
        """
        app, backend = worker.app, worker.app.backend
        me = identity.current()
        if me is None:
            raise RuntimeError("worker_init was not sent")
        _prepare(backend)
        self._agent = Agent(
            backend,
            me,
            _details(worker),
            timedelta(seconds=app.conf.get("taskgate_lease_seconds", 15.0)),
            process_ender(worker.pool),
            self._successes,
            lambda: self._intake.holds() if self._intake is not None else set(),
            self._counts,
        )
        register_task_types(app, backend, me.worker_id)
        self._agent.start()
        self._loops = _start_loops(app, backend)
        if _can_claim_for(worker):
            dispatcher, *_ = self._loops
            self._intake = Intake(
                worker,
                backend.recorder,
                self._look_ahead,
                given_back=dispatcher.wake,
                counts=self._counts,
            )
            self._intake.start()
        worker_shutdown.connect(self._end_agent)

    def close(self, worker: Any) -> None:
        """The worker takes nothing more in."""
        del worker
        if self._intake is not None:
            self._intake.close()

    def stop(self, worker: Any) -> None:
        """Give back what has not started, while the pool finishes what it runs."""
        del worker
        if self._intake is not None:
            self._intake.stop()

    def terminate(self, worker: Any) -> None:
        """A cold shutdown: end the pool's processes, then give back what they were running."""
        self.stop(worker)
        worker.pool.terminate()
        self._end_agent()

    def _end_agent(self, **_: Any) -> None:
        for loop in self._loops:
            loop.stop(LOOP_SECONDS)
        if self._agent is not None:
            self._agent.stop()


def _runs_beside_us(worker: Any) -> bool:
    """Whether tasks run in threads, or in processes that are forked from this one."""
    is_forked = isinstance(worker.pool, prefork.TaskPool) and worker.pool.forking_enable
    return is_forked or isinstance(worker.pool, thread.TaskPool)


def _can_claim_for(worker: Any) -> bool:
    """Whether this process can claim for the pool; otherwise each attempt claims itself."""
    if isinstance(worker.pool, prefork.TaskPool):
        return worker.consumer.hub is not None and bool(worker.pool_putlocks)
    return isinstance(worker.pool, thread.TaskPool)


def adopt_tasks(app: Any) -> None:
    """Give tasks that were made with a base of their own ours as well."""
    for task in app.tasks.values():
        task.__class__ = with_taskgate(type(task))
        make_callable(task)


class BroadcastRefused(click.ClickException):
    """A queue gives a copy of each message to every worker; Celery's command shows the message."""


def refuse_broadcasts(app: Any) -> None:
    """See that no queue to consume from is a worker's own copy of a fanout exchange.

    Raises:
        BroadcastRefused: one is.
    """
    for queue in app.amqp.queues.consume_from.values():
        is_fanout = queue.exchange is not None and queue.exchange.type == "fanout"
        if is_fanout and (queue.auto_delete or queue.exclusive):
            name = queue.alias or queue.name
            raise BroadcastRefused(
                f"the queue {name!r} is a broadcast: every worker would get a copy of each task, "
                "and as a task is on record once, one of them would run it. Leave it out with "
                f"--exclude-queues={name}; send a task to each worker's own queue, or broadcast "
                "to an app that taskgate does not manage"
            )


def _prepare(backend: RecordBackend) -> None:
    """The embedded record makes itself; a database server's is the operator's to upgrade."""
    if backend.database.is_sqlite:
        schema.upgrade(backend.database)
    else:
        schema.check(backend.database)


def _start_loops(app: Any, backend: RecordBackend) -> list[Loop]:
    """Publish and rescue as servers do, so that Celery programs on the record need no server."""
    dispatcher = Dispatcher(backend.database, Publisher(app), poll_seconds=WORKER_POLL_SECONDS)
    sweeper = Sweeper(
        backend.database,
        app,
        lease=timedelta(seconds=app.conf.get("taskgate_lease_seconds", 15.0)),
        max_worker_losses=app.conf.get("taskgate_max_worker_losses", 3),
        retention=None,  # the servers' to decide
        own_worker=lambda: identity.worker_id(None),
    )
    loops = [dispatcher.loop, sweeper.loop, Ticker(backend.database).loop]
    for loop in loops:
        loop.start()
    return loops


def _details(worker: Any) -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "pool": type(worker.pool).__module__.rpartition(".")[2],
        "concurrency": worker.concurrency,
        "queues": sorted(worker.app.amqp.queues.consume_from),
        "can_force": process_ender(worker.pool) is not None,
    }


def register_task_types(app: Any, backend: RecordBackend, worker_id: str) -> None:
    """Tell servers of all that the app can run."""
    for name, task in sorted(app.tasks.items()):
        if not name.startswith("celery."):
            _register(backend, name, definition_of(task), worker_id)


def _register(
    backend: RecordBackend, name: str, definition: dict[str, Any], worker_id: str
) -> None:
    with backend.database.write() as tx:
        replaced = task_types.register(tx, name, definition, worker_id)
    if replaced is not None:
        logger.info("the task type %s has another definition than before", name)


@worker_process_init.connect
def _forget_the_parents_connections(**_: Any) -> None:
    sql.forget_connections()
    if isinstance(current_app.backend, RecordBackend):
        current_app.backend.after_fork()
