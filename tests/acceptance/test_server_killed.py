"""SIGKILL of the server at the worst moments: an answered Submit runs, and runs once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from support.deployment import Deployment
from support.engines import Engines
from support.processes import Process
from support.waiting import wait_until
from taskgate.client import Client, State, TaskHandle, Unavailable
from taskgate.store.tables import outbox, tasks

ANSWERED = 20
"""Submits that were answered when the server is killed."""

STREAM = 400
"""Submits while the server is killed again and again."""

KILLS = 5


@pytest.fixture(scope="module")
def crashing(own_deployment: Deployment) -> Iterator[Deployment]:
    """A deployment whose task types are known, with no server yet, and nobody on queue celery."""
    with own_deployment.start_worker("--queues=idle-1", "--pool=solo"):
        yield own_deployment


@pytest.fixture
def server(crashing: Deployment) -> Iterator[Process]:
    """A server that has published before: what it needs for it is there."""
    with crashing.start_server() as server:
        warm = crashing.client().submit("journal.run", queue="idle-1")
        assert warm.wait(30).state is State.SUCCEEDED
        yield server


def submit_some(deployment: Deployment, number: int) -> list[TaskHandle]:
    client = deployment.client()
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda n: client.submit("journal.run", [0, n]), range(number)))


def waiting_in_outbox(deployment: Deployment, handles: Iterable[TaskHandle]) -> set[str]:
    with deployment.database.read() as tx:
        found = set(tx.execute(select(outbox.c.task_id)).scalars())
    return found & {handle.id for handle in handles}


def check_each_ran_once(deployment: Deployment, handles: list[TaskHandle]) -> None:
    """Bring all back to life and see every task through."""
    with deployment.start_server(), deployment.start_worker("--concurrency=4"):
        finals = [handle.wait(60) for handle in handles]
    # The worker has drained: a second message of a task would have run by now.
    assert {(task.state, task.attempt) for task in finals} == {(State.SUCCEEDED, 1)}
    assert [task.result for task in finals] == [task.args[1] for task in finals]
    once = {handle.id: 1 for handle in handles}
    for word in ("start", "end"):
        count = deployment.journal.count(word)
        assert {task_id: count[task_id] for task_id in once} == once


def test_killed_between_commit_and_publish(
    crashing: Deployment, own_engines: Engines, server: Process
) -> None:
    with own_engines.broker_down():
        handles = submit_some(crashing, ANSWERED)
        server.kill()
    assert not any(own_engines.has_message(handle.id) for handle in handles)
    assert len(waiting_in_outbox(crashing, handles)) == ANSWERED
    check_each_ran_once(crashing, handles)


def test_killed_between_publish_and_the_outbox_delete(
    crashing: Deployment, own_engines: Engines, server: Process
) -> None:
    with own_engines.broker_frozen():
        handles = submit_some(crashing, ANSWERED)
        lock = own_engines.outbox_locked()
        lock.__enter__()
    try:
        wait_until(
            lambda: any(own_engines.has_message(handle.id) for handle in handles),
            30,
            "messages were published",
        )
        server.kill()
    finally:
        lock.__exit__(None, None, None)
    published = {handle.id for handle in handles if own_engines.has_message(handle.id)}
    assert published & waiting_in_outbox(crashing, handles)
    check_each_ran_once(crashing, handles)


def submit_until_answered(client: Client, number: int) -> TaskHandle:
    while True:
        try:
            return client.submit("journal.run", [0, number], request_id=f"stream-{number}")
        except Unavailable:
            continue  # killed once more: the same request again


def kill_again_and_again(deployment: Deployment, stop: threading.Event) -> None:
    """Kill servers at random moments; leaves the last one running."""
    for _ in range(KILLS):
        server = deployment.start_server()
        stop.wait(random.uniform(0.1, 1.0))
        server.kill()
    deployment.start_server()


@pytest.mark.timeout(180)
def test_killed_at_random_moments_while_clients_submit(crashing: Deployment) -> None:
    client = crashing.client()
    with ThreadPoolExecutor(9) as pool:
        kills = pool.submit(kill_again_and_again, crashing, threading.Event())
        answered = pool.map(lambda n: submit_until_answered(client, n), range(STREAM))
        handles = list(answered)
        kills.result()
    assert len({handle.id for handle in handles}) == STREAM
    with crashing.database.read() as tx:
        recorded = tx.execute(select(tasks.c.id).where(tasks.c.request_id.like("stream-%")))
        assert set(recorded.scalars()) == {handle.id for handle in handles}
    check_each_ran_once(crashing, handles)
