"""Publishing in bounded time, whatever the broker does; priorities mean the same everywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from support.server import Server
from taskgate.store import queries, submission
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.store.record import NewTask, Task, new_task_id
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers.connecting import BrokerUnavailable
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.messages import ATTEMPT_HEADER
from taskgate.tasks.settings import Settings

BOUND_SECONDS = 20
"""Far more than the few seconds that are promised, far less than the minute of a hang."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/record.db")
    schema.upgrade(made)
    yield made
    made.close()


def recorded_tasks(database: Database, *priorities: int) -> list[Task]:
    new = [
        NewTask(
            id=new_task_id(),
            task_type="demo.add",
            arguments='{"args": [1, 2], "kwargs": {}}',
            queue="celery",
            priority=priority,
        )
        for priority in priorities
    ]
    with database.write() as tx:
        submission.submit(tx, new)
        found = queries.get_many(tx, [task.id for task in new])
    return [found[task.id] for task in new]


def publisher(broker_url: str) -> Publisher:
    return Publisher(create_app(Settings(celery_broker_url=broker_url)))


def received(broker_url: str, count: int) -> list[dict[str, Any]]:
    """The headers of the messages in the queue, in the order in which a worker gets them."""
    app = create_app(Settings(celery_broker_url=broker_url))
    headers: list[dict[str, Any]] = []
    with app.connection_for_read() as connection:
        assert isinstance(connection, Connection)
        queue = app.amqp.queues["celery"](connection.default_channel)
        queue.declare()
        while len(headers) < count and (message := queue.get()) is not None:
            headers.append(dict(message.headers))
            message.ack()
    return headers


@pytest.fixture(params=["redis", "rabbitmq", "sqlite", "postgresql"])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "sqlite":
            return f"sqla+sqlite:///{tmp_path}/broker.db"
        case "postgresql":
            return f"sqla+{request.getfixturevalue('postgres_url')}"
        case name:
            url: str = request.getfixturevalue("amqp_url" if name == "rabbitmq" else "redis_url")
            return url


def test_messages_are_celerys_own(broker_url: str, database: Database) -> None:
    (task,) = recorded_tasks(database, 4)
    mine = publisher(broker_url)

    mine.publish([task])
    mine.close()

    (headers,) = received(broker_url, 1)
    assert headers["id"] == headers["root_id"] == task.id
    assert (headers["task"], headers["retries"], headers[ATTEMPT_HEADER]) == ("demo.add", 0, 1)


def test_hundreds_at_once(broker_url: str, database: Database) -> None:
    many = recorded_tasks(database, *[4] * 300)
    mine = publisher(broker_url)

    mine.publish(many)
    mine.publish([])
    mine.close()

    ids = {headers["id"] for headers in received(broker_url, 301)}
    assert ids == {task.id for task in many}


@pytest.mark.parametrize("broker_url", ["redis", "rabbitmq"], indirect=True)
def test_priorities(broker_url: str, database: Database) -> None:
    many = recorded_tasks(database, 0, 9, 5, 9)
    mine = publisher(broker_url)

    mine.publish(many)
    mine.close()

    order = [headers["id"] for headers in received(broker_url, 4)]
    assert order == [many[i].id for i in (1, 3, 2, 0)]


def test_a_broker_that_is_not_there(database: Database) -> None:
    for url in ("redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"):
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            publisher(url).publish(recorded_tasks(database, 4))
        assert time.monotonic() - started < BOUND_SECONDS


@pytest.mark.parametrize("kind", [RedisServer, RabbitMQServer])
def test_a_broker_that_freezes_and_comes_back(
    kind: type[RedisServer | RabbitMQServer], database: Database
) -> None:
    with kind() as server:
        _freeze_and_thaw(server, server.url(), database)


def _freeze_and_thaw(server: Server, url: str, database: Database) -> None:
    mine = publisher(url)
    mine.publish(recorded_tasks(database, 4))
    for number in (1, 300):
        server.pause()
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            mine.publish(recorded_tasks(database, *[4] * number))
        assert time.monotonic() - started < BOUND_SECONDS
        with pytest.raises(BrokerUnavailable):
            mine.publish(recorded_tasks(database, 4))
        server.resume()

    last = recorded_tasks(database, 4)
    mine.publish(last)
    mine.close()

    # What was published while it was frozen may or may not have arrived.
    ids = [headers["id"] for headers in received(url, 1000)]
    assert last[0].id in ids


@pytest.mark.parametrize("kind", [RedisServer, RabbitMQServer])
def test_a_broker_that_is_restarted(
    kind: type[RedisServer | RabbitMQServer], database: Database
) -> None:
    with kind() as server:
        mine = publisher(server.url())
        mine.publish(recorded_tasks(database, 4))
        server.kill()
        with pytest.raises(BrokerUnavailable):
            mine.publish(recorded_tasks(database, 4))
        server.start()
        last = recorded_tasks(database, 4)
        mine.publish(last)
        mine.close()
        assert last[0].id in [headers["id"] for headers in received(server.url(), 10)]


def test_a_queue_that_someone_else_declared_otherwise(amqp_url: str, database: Database) -> None:
    with Connection(amqp_url) as connection:
        connection.SimpleQueue("celery").close()  # without priorities
    mine = publisher(amqp_url)

    mine.publish(recorded_tasks(database, 4, 4))
    mine.close()

    with Connection(amqp_url) as connection:
        queue = connection.SimpleQueue("celery")
        assert queue.qsize() == 2
        queue.close()
