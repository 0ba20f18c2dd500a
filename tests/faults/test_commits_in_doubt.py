"""Any transaction of a server or worker may fail, before or after its commit; nobody notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import pytest
from celery import Celery, chord

from support.deployment import FAULTY_COMMITS, Deployment
from support.engines import SETUPS, Engines
from support.invariants import check, wait_until_final
from support.traffic import TRY_AGAIN, traffic_to
from taskgate.store.lifecycle import State
from taskgate.tasks.app import create_app
from taskgate.tasks.settings import Settings
from taskgate.v1.task_service_pb2 import AbortRequest

from .conftest import Deploy

RATE, SEED = 0.05, 7
TASKS = 120
FLAKY = 30
ABORTED = 20
CHORDS = 5

ENV = {
    FAULTY_COMMITS: f"{RATE}:{SEED}",
    "TASKGATE_LEASE_SECONDS": "15",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("setup", SETUPS)
def test_the_promises_hold(
    setup: str,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
    measured: Callable[..., None],
) -> None:
    deployment = deploy(engines_of(setup), ENV)
    deployment.start_server()
    deployment.start_worker("--pool=prefork", "--concurrency=2")
    deployment.start_worker("--pool=threads", "--concurrency=4")
    began = time.monotonic()
    with traffic_to(deployment) as traffic, program(deployment) as app:
        traffic.submit(TASKS, kwargs=lambda: {"seconds": 0.01})
        traffic.submit(FLAKY, "journal.flaky", kwargs=lambda: {"failures": 2})
        traffic.submit(ABORTED, "journal.abortable", kwargs=lambda: {"seconds": 600})
        add = app.signature("demo.add")
        bodies = [
            chord([add.clone((n, 1)), add.clone((n, 2))], app.signature("demo.echo"), app=app)()
            for n in range(CHORDS)
        ]
        submissions = traffic.wait()
        for submission in submissions[-ABORTED:]:
            abort(deployment, submission.task_id)
        ids = {*(s.task_id for s in submissions), *(body.id for body in bodies)}
        wait_until_final(deployment, ids, 240)
        assert [sorted(body.get(timeout=30)) for body in bodies] == [
            [n + 1, n + 2] for n in range(CHORDS)
        ]
    evidence = check(deployment, submissions)
    ends = [evidence.tasks[s.task_id].state for s in submissions]
    assert ends == [State.SUCCEEDED] * (TASKS + FLAKY) + [State.ABORTED] * ABORTED
    assert evidence.lost_attempts == 0
    faults = sum(log.read_text().count("a fault on purpose") for log in deployment.logs())
    assert faults > 10
    measured(evidence, faults=faults, seconds=time.monotonic() - began)


@contextmanager
def program(deployment: Deployment) -> Iterator[Celery]:
    """A Celery program of someone who uses the deployment."""
    env = deployment.env
    settings = Settings(
        celery_broker_url=env["CELERY_BROKER_URL"], postgres_url=env["POSTGRES_URL"]
    )
    with create_app(settings) as app:
        yield app


def abort(deployment: Deployment, task_id: str) -> None:
    """Ask for an abort until that was answered."""
    stub = deployment.stub()
    while True:
        try:
            stub.Abort(AbortRequest(id=task_id), timeout=30)
        except grpc.RpcError as error:
            if error.code() not in TRY_AGAIN:
                raise
        else:
            return
