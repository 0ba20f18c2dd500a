"""Publishing in bounded time, whatever the broker does; priorities mean the same everywhere."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Queue

from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from support.server import Server
from taskgate.store import queries, submission
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.store.record import NewTask, Task, new_task_id
from taskgate.tasks import bodies
from taskgate.tasks.app import create_app
from taskgate.tasks.bodies import Body
from taskgate.tasks.brokers.connecting import BrokerUnavailable, to_broker
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.messages import ATTEMPT_HEADER, message_of
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


def lists(redis_server: RedisServer, url: str) -> dict[bytes, list[dict[str, Any]]]:
    """What is in the lists of a Redis database, without what differs each time."""
    client: Any = redis_server.client(int(url.rpartition("/")[2]))
    found = {}
    for key in client.scan_iter():
        if client.type(key) == b"list":
            found[key] = [json.loads(text) for text in client.lrange(key, 0, -1)]
    for message in itertools.chain.from_iterable(found.values()):
        message["properties"].pop("delivery_tag")
    return found


def publish_by_kombu(app: Celery, url: str, tasks: list[Task]) -> None:
    """As kombu's own transport and producer do it."""
    with Connection(url, transport_options=app.conf.broker_transport_options) as connection:
        producer: Any = connection.Producer(serializer="json", auto_declare=False)
        for task in tasks:
            message = message_of(app, task)
            content: dict[str, Any] = {}
            body = message.body
            if isinstance(body, Body):
                content = {
                    "content_type": body.content_type,
                    "content_encoding": body.content_encoding,
                }
                body = body.data
            producer.publish(
                body,
                exchange="",
                routing_key=task.queue,
                headers=message.headers,
                priority=to_broker(task.priority, zero_first=True),
                **message.properties,
                **content,
            )


@pytest.mark.parametrize("options", [{}, {"global_keyprefix": "here:", "priority_steps": [0, 5]}])
def test_messages_in_redis_are_as_kombu_makes_them(
    redis_server: RedisServer, database: Database, options: dict[str, Any]
) -> None:
    plain, urgent, linked, pickled = recorded_tasks(database, 4, 9, 4, 4)
    link = {"callbacks": [{"task": "demo.add", "args": ["é"], "options": {}}]}
    linked = replace(linked, message=json.dumps(link))
    kept = bodies.kept([(1, 2)], {}, "application/x-python-serialize")
    pickled = replace(pickled, message=json.dumps({"body": kept}))
    many = [plain, urgent, linked, pickled]
    ours, theirs = redis_server.empty_database(), redis_server.empty_database()
    app = create_app(Settings(celery_broker_url=ours))
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **options}

    mine = Publisher(app)
    mine.publish(many)
    mine.close()
    publish_by_kombu(app, theirs, many)

    assert lists(redis_server, ours) == lists(redis_server, theirs)
    assert sum(map(len, lists(redis_server, ours).values())) == len(many)


def test_a_queue_in_redis_whose_messages_expire(
    redis_server: RedisServer, database: Database
) -> None:
    url = redis_server.empty_database()
    app = create_app(Settings(celery_broker_url=url))
    app.conf.task_queues = [Queue("celery", expires=3600)]

    mine = Publisher(app)
    mine.publish(recorded_tasks(database, 4))
    mine.close()

    client: Any = redis_server.client(int(url.rpartition("/")[2]))
    expiring = [client.ttl(key) for key in client.scan_iter() if client.type(key) == b"list"]
    assert len(expiring) == 1
    assert 0 < expiring[0] <= 3600


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
