"""While a queue or a task type is paused nothing of it starts; then all of it runs, once."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from support.deployment import TESTS, Deployment
from support.engines import Engines
from support.waiting import wait_until
from taskgate.client import Client, RetryPolicy, State, TaskHandle
from taskgate.store.tables import outbox


def starts(deployment: Deployment, task: TaskHandle) -> int:
    return deployment.journal.words(task.id).count("start")


def is_held(deployment: Deployment, task_id: str) -> bool:
    with deployment.database.read() as tx:
        held = select(outbox).where(outbox.c.task_id == task_id, outbox.c.held_by.is_not(None))
        return tx.execute(held).first() is not None


def test_a_paused_task_type_waits_and_then_runs(deployment: Deployment, client: Client) -> None:
    running = client.submit("journal.run", [2, "ran"])
    wait_until(lambda: running.get().state is State.RUNNING, 30, "the task runs")
    flaky = client.submit("journal.flaky", [1], retry_policy=RetryPolicy(initial_backoff=0.5))
    wait_until(lambda: flaky.get().state is not State.QUEUED, 30, "the first attempt started")
    client.pause(task_type="journal.run", reason="a look")
    client.pause(task_type="journal.flaky")
    try:
        waiting = [client.submit("journal.run", [0, n]) for n in range(10)]
        later = client.submit("journal.run", [0, "later"], delay=0.5)
        held = [*waiting, later, *([flaky] if flaky.get().state is State.RETRYING else [])]
        other = client.submit("demo.add", [2, 3])
        wait_until(lambda: all(is_held(deployment, one.id) for one in held), 30, "all are held")
        assert other.result(30) == 5
        assert running.result(30) == "ran"
        assert not any(starts(deployment, one) for one in waiting)
        assert {one.task_type for one in client.pauses()} == {"journal.run", "journal.flaky"}
    finally:
        client.resume(task_type="journal.run")
        client.resume(task_type="journal.flaky")
    assert [one.result(30) for one in waiting] == list(range(10))
    assert later.result(30) == "later"
    assert flaky.result(30) == 1
    assert [starts(deployment, one) for one in waiting] == [1] * 10


def test_messages_that_wait_in_a_paused_queue(
    own_deployment: Deployment, own_engines: Engines
) -> None:
    """They come to a worker, which gives them back; also those of a program that knows Celery."""
    server = own_deployment.start_server()
    client = own_deployment.client()
    tasks = [client.submit("demo.add", [n, 1], queue="idle-1") for n in _known(own_deployment)]
    own_engines.broker.wait_for_messages(tasks[-1].id)
    client.pause(queue="idle-1", reason="the night")
    own_deployment.start_worker("--queues=idle-1,celery", "--concurrency=2")
    theirs = _delay(own_deployment, own_engines)
    wait_until(
        lambda: all(is_held(own_deployment, one) for one in [*(t.id for t in tasks), theirs]),
        30,
        "all were given back",
    )
    [queue] = [one for one in client.queues() if one.name == "idle-1"]
    assert queue.pause is not None
    assert queue.pause.reason == "the night"
    server.kill()
    own_deployment.start_server()
    assert all(one.get().state is State.QUEUED for one in tasks)
    assert client.resume(queue="idle-1")
    assert [one.result(30) for one in tasks] == [n + 1 for n in range(5)]
    assert client.task(theirs).result(30) == 5


def _known(deployment: Deployment) -> range:
    """Five numbers, once a worker has registered its task types and is gone again."""
    worker = deployment.start_worker("--concurrency=1")
    worker.stop()
    return range(5)


def _delay(deployment: Deployment, engines: Engines) -> str:
    file = TESTS / "acceptance" / "plain_celery.py"
    urls = engines.broker.url, f"taskgate+{engines.database_url}"
    nothing_of_ours = dict.fromkeys(deployment.env, "")
    answer = deployment.run("python", str(file), *urls, "send", "idle-1", env=nothing_of_ours)
    sent: str = json.loads(answer)
    return sent


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_pauses_hold_in_every_pool(own_deployment: Deployment, pool: str) -> None:
    if not own_deployment.is_serving():
        own_deployment.start_server()
    own_deployment.start_worker(f"--pool={pool}", "--concurrency=2", "--queues=idle-2")
    client = own_deployment.client()
    client.pause(queue="idle-2")
    task = client.submit("journal.run", [0, pool], queue="idle-2")
    wait_until(lambda: is_held(own_deployment, task.id), 30, "it is held")
    client.resume(queue="idle-2")
    assert task.result(30) == pool
    assert starts(own_deployment, task) == 1
