"""What a worker makes of messages: the same one often, foreign ones, garbage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from support.deployment import Deployment
from support.engines import Engines
from support.waiting import wait_until
from taskgate.client import Client, State
from taskgate.store import queries
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.settings import Settings


@pytest.fixture(scope="module")
def app(engines: Engines) -> Iterator[Celery]:
    """Publishes what the test wants, to the same broker."""
    settings = Settings(celery_broker_url=engines.broker.url, postgres_url=engines.database_url)
    with create_app(settings) as app:
        yield app


def publish_again(deployment: Deployment, app: Celery, task_id: str, times: int) -> None:
    with deployment.database.read() as tx:
        task = queries.get(tx, task_id)
    publisher = Publisher(app)
    for _ in range(times):
        publisher.publish([task])
    publisher.close()


def test_a_message_delivered_five_times_runs_once(
    deployment: Deployment, engines: Engines, client: Client, app: Celery
) -> None:
    task = client.submit("journal.run", kwargs={"seconds": 0.2, "value": 7}, queue="idle-2")
    engines.broker.wait_for_messages(task.id)
    publish_again(deployment, app, task.id, 4)
    assert engines.broker.count_messages(task.id) == 5
    with deployment.start_worker("--queues=idle-2", "--pool=threads", "--concurrency=5"):
        assert task.result(60) == 7
        publish_again(deployment, app, task.id, 5)
        wait_until(lambda: not engines.broker.has_message(task.id), 30, "all messages were taken")
    # The worker has stopped: whatever it had taken has ended.
    assert deployment.journal.words(task.id) == ["start", "end"]
    final = task.get()
    assert final.state is State.SUCCEEDED
    assert final.attempt == 1


def send_raw(app: Celery, body: bytes, **properties: Any) -> None:
    with app.connection_for_write() as connection, connection.channel() as channel:
        producer = connection.Producer(channel, auto_declare=False)
        producer.publish(body, routing_key="idle-3", **properties)


def test_a_worker_survives_garbage_and_what_is_not_ours(
    deployment: Deployment, engines: Engines, client: Client, app: Celery
) -> None:
    first = client.submit("journal.run", queue="idle-3")
    engines.broker.wait_for_messages(first.id)  # so the queue exists
    json_ = {"content_type": "application/json", "content_encoding": "utf-8"}
    send_raw(app, b"{]", **json_)
    send_raw(app, b'{"hello": "world"}', **json_)
    send_raw(app, b"[]", **json_, headers={"task": "demo.add"})
    send_raw(app, b"[[1], {}, {}]", **json_, headers={"task": "nobody.knows", "id": "no-uuid"})
    send_raw(app, b"\x80\x04N.", content_type="application/x-python-serialize")
    send_raw(app, b"\xff\xfe\x00", content_type="image/png", content_encoding="binary")
    engines.broker.put_raw("idle-3", "garbage")
    engines.broker.put_raw("idle-3", '{"body": 1}')
    last = client.submit("journal.run", queue="idle-3")
    with deployment.start_worker("--queues=idle-3", "--concurrency=1") as worker:
        assert first.wait(60).state is State.SUCCEEDED
        assert last.wait(60).state is State.SUCCEEDED
        # The last task may overtake what has no priority.
        wait_until(lambda: engines.broker.messages() == [], 30, "all messages were taken")
        assert worker.exit_code is None


def test_a_result_that_is_no_json_fails_the_task_alone(client: Client) -> None:
    task = client.submit("journal.unserializable").wait(30)
    assert task.state is State.FAILED
    assert task.error is not None
    assert task.error.reason == "RESULT_NOT_SERIALIZABLE"
    assert "object" in task.error.message
    assert client.submit("demo.add", [1, 1]).result(30) == 2
