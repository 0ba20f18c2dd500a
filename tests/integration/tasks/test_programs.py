"""Celery programs of the users' own: managed apps, programs that only look, detached workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.contrib.abortable import AbortableAsyncResult
from sqlalchemy import select

from support.celery_system import failure_of
from support.deployment import Deployment
from support.processes import has_ended
from support.waiting import wait_until
from taskgate.store import queries
from taskgate.store.lifecycle import Outcome, Reason, State
from taskgate.store.record import Task, new_task_id
from taskgate.store.tables import outbox
from taskgate.tasks.app import create_app
from taskgate.tasks.settings import Settings

# Of kombu's own transport, which plain programs have, on SQLAlchemy 2.1.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

USERS_APP = '''
from celery import Celery, Task
from contextvars import ContextVar

from taskgate.tasks import manage

inside = ContextVar("inside", default=False)


class ContextTask(Task):
    """As in Flask's documentation."""

    def __call__(self, *args, **kwargs):
        token = inside.set(True)
        try:
            return self.run(*args, **kwargs)
        finally:
            inside.reset(token)


class OtherTask(Task):
    pass


app = Celery("users", task_cls=ContextTask, broker={broker!r})
app.conf.task_default_queue = "theirs"
app.conf.worker_prefetch_multiplier = 3


@app.task
def before(x):
    return [x, inside.get()]


manage(app)


@app.task(base=OtherTask, bind=True, max_retries=2, default_retry_delay=0.1)
def after(self, x):
    if self.request.retries < 1:
        raise self.retry()
    return [x, inside.get(), app.conf.worker_prefetch_multiplier, app.conf.task_acks_late]


@app.task(acks_late=False)
def fails():
    raise KeyError("no")
'''

STOCK_APP = """
from celery import Celery

app = Celery("stock", broker={broker!r}, backend={backend!r})
app.conf.task_default_queue = "theirs"
app.conf.task_track_started = {tracks}


@app.task(bind=True, max_retries=1)
def retries(self, countdown):
    if not self.request.retries:
        raise self.retry(exc=KeyError("not yet"), countdown=countdown)
    return self.request.retries
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(
        tmp_path,
        broker_url=f"sqla+sqlite:///{tmp_path}/broker.db",
        database_url=f"sqlite:///{tmp_path}/record.db",
    )
    # Two that declare a queue at once are kombu's SQL transport's to fail on, not ours.
    with create_app(_settings(made)) as app, app.connection_for_write() as connection:
        for queue in ("celery", "theirs"):
            app.amqp.queues[queue](connection).declare()
    with made:
        yield made


def _settings(deployment: Deployment) -> Settings:
    env = deployment.env
    return Settings(celery_broker_url=env["CELERY_BROKER_URL"], postgres_url=env["POSTGRES_URL"])


def plain_app(deployment: Deployment) -> Celery:
    """What a program that knows nothing of taskgate but a URL has."""
    return Celery(
        "plain",
        broker=deployment.env["CELERY_BROKER_URL"],
        backend=f"taskgate+{deployment.env['POSTGRES_URL']}",
        set_as_current=False,
    )


def task_of(deployment: Deployment, task_id: str) -> Task:
    with deployment.database.read() as tx:
        return queries.get(tx, task_id)


def test_a_plain_program_reads_and_aborts(deployment: Deployment) -> None:
    deployment.start_worker("--pool=threads", "--concurrency=2")
    app = plain_app(deployment)

    result = app.send_task("demo.add", (1, 2))
    running: AbortableAsyncResult[None] = AbortableAsyncResult(
        app.send_task("demo.countdown", (60,)).id, app=app
    )

    assert result.get(timeout=30) == 3
    wait_until(lambda: str(running.state) == "PROGRESS", 30)
    running.abort()
    wait_until(lambda: task_of(deployment, running.id).state is State.ABORTED, 30)
    assert app.AsyncResult(new_task_id()).state == "PENDING"


def test_a_managed_app(deployment: Deployment) -> None:
    program = USERS_APP.format(broker=deployment.env["CELERY_BROKER_URL"])
    (deployment.folder / "users_app.py").write_text(program)
    env = {"PYTHONPATH": str(deployment.folder), "CELERY_BROKER_URL": ""}
    deployment.start_server()
    worker = deployment.start(
        "celery", "-A", "users_app", "worker", "--pool=threads", "--concurrency=2", env=env
    )
    worker.wait_ready(lambda: deployment.has_worker(worker.pid))
    app = plain_app(deployment)

    before = app.send_task("users_app.before", (1,), queue="theirs")
    after = app.send_task("users_app.after", (2,), queue="theirs")
    fails = app.send_task("users_app.fails", queue="theirs")

    assert before.get(timeout=30) == [1, True]
    assert after.get(timeout=30) == [2, False, 3, True]
    assert isinstance(fails.get(timeout=30, propagate=False), KeyError)
    assert [task_of(deployment, result.id).attempt for result in (before, after, fails)] == [
        1,
        2,
        1,
    ]
    assert failure_of(task_of(deployment, fails.id)).reason is Reason.EXCEPTION


def test_a_detached_worker(deployment: Deployment) -> None:
    pid_file = deployment.folder / "worker.pid"
    options = ("--loglevel=info", "--pool=threads", "--queues=celery", "--concurrency=10")
    files = (f"--pidfile={pid_file}", f"--logfile={deployment.folder}/detached.log")

    deployment.run("celery", "-A", "taskgate.tasks", "worker", *options, "--detach", *files)

    wait_until(lambda: pid_file.exists() and bool(pid_file.read_text().strip()), 30)
    pid = int(pid_file.read_text())
    try:
        wait_until(lambda: deployment.has_worker(pid), 30)
        assert plain_app(deployment).send_task("demo.add", (1, 2)).get(timeout=30) == 3
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: has_ended(pid), 30)
    assert not deployment.has_worker(pid)


@pytest.mark.parametrize("tracks", [True, False], ids=["started", "unstarted"])
def test_a_stock_workers_retries(deployment: Deployment, tracks: bool) -> None:
    """Such a worker publishes its retries itself."""
    urls = deployment.env["CELERY_BROKER_URL"], f"taskgate+{deployment.env['POSTGRES_URL']}"
    program = STOCK_APP.format(broker=urls[0], backend=urls[1], tracks=tracks)
    (deployment.folder / "stock_app.py").write_text(program)
    env = {"PYTHONPATH": str(deployment.folder), "CELERY_BROKER_URL": ""}
    deployment.start("celery", "-A", "stock_app", "worker", "--pool=threads", env=env)
    app = plain_app(deployment)

    once = app.send_task("stock_app.retries", (0.1,), queue="theirs")
    later = app.send_task("stock_app.retries", (3600,), queue="theirs")

    assert once.get(timeout=30) == 1
    task = task_of(deployment, once.id)
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.FAILED, Outcome.SUCCEEDED]
    wait_until(lambda: later.state == "RETRY", 30)
    assert repr(later.result) == "KeyError('not yet')"
    with deployment.database.read() as tx:
        assert not tx.execute(select(outbox)).all()
