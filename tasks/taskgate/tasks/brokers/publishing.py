"""Publishing recorded tasks to the broker, in batches and in bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import MessageNacked, PreconditionFailed
from celery import Celery
from celery.utils.log import get_logger
from kombu import Producer

from taskgate.store.record import Task
from taskgate.tasks import tracing
from taskgate.tasks.bodies import Body
from taskgate.tasks.brokers import connecting, redis
from taskgate.tasks.brokers.connecting import ANSWER_SECONDS, BrokerUnavailable
from taskgate.tasks.messages import Messages

logger = get_logger(__name__)


class Publisher:
    """Publishes through one held connection. Threads may share it; they take turns."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._link: _Link | None = None

    def publish(self, tasks: Sequence[Task]) -> None:
        """Publish each task's current attempt; the broker has them all when this returns.

        Takes a few seconds at most, also while the broker is down or frozen.

        Raises:
            BrokerUnavailable: the broker did not take, or did not confirm, the messages; some may
                have arrived. To publish them all again is harmless: the claim drops what arrives
                twice.
        """
        if not tasks:
            return
        with self._lock, self._dropping_the_link_on_errors() as link:
            began_at = time.time_ns()
            link.send(tasks)
        if tracing.is_on():
            for task in tasks:
                about = {"taskgate.task_id": task.id, "taskgate.attempt": task.attempt}
                tracing.published(task.task_type, task.trace, began_at, **about)

    def close(self) -> None:
        """Close the connection; publishing again opens another one."""
        with self._lock:
            self._drop()

    @contextmanager
    def _dropping_the_link_on_errors(self) -> Iterator[_Link]:
        try:
            if self._link is None:
                self._link = _Link(self._app)
            yield self._link
        except connecting.errors(self._app) as exc:
            self._drop()
            raise BrokerUnavailable(f"the broker does not answer: {exc!r}") from exc
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.drop()


class _Link:
    """A connection with its producer, and what was declared on it."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._messages = Messages(app)
        self._declared: set[str] = set()
        self._connection = connecting.connect(app)
        try:
            self._driver_type = self._connection.transport.driver_type
            self._open_channel()
        except BaseException:
            self.drop()
            raise

    def _open_channel(self) -> None:
        channel: Any = self._connection.channel()
        self._confirms = Confirms(channel) if self._driver_type == "amqp" else None
        self._channel = channel
        self._producer: Any = Producer(channel, serializer="json", auto_declare=False)

    def send(self, tasks: Sequence[Task]) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        for queue in {task.queue for task in tasks}:
            self._declare(queue)
        if isinstance(self._channel, redis.Channel):
            self._channel.publish_all(map(self._addressed, tasks))
        else:
            with self._producer.batch():
                for task in tasks:
                    self._publish(*self._addressed(task))
        if self._confirms is not None:
            self._confirms.wait(deadline)

    def _addressed(self, task: Task) -> tuple[str, int, Any]:
        """The task's queue, its priority in the broker's order, and its message."""
        zero_first = self._driver_type == "redis"
        priority = connecting.to_broker(task.priority, zero_first=zero_first)
        return task.queue, priority, self._messages.of(task)

    def _publish(self, queue: str, priority: int, message: Any) -> None:
        if self._confirms is not None:
            self._confirms.expect_one()
        body = message.body
        if isinstance(body, Body):
            message.properties.update(
                content_type=body.content_type, content_encoding=body.content_encoding
            )
            body = body.data
        self._producer.publish(
            body,
            exchange="",
            routing_key=queue,
            headers=message.headers,
            priority=priority,
            **message.properties,
        )

    def _declare(self, name: str) -> None:
        """Once a connection: a broker that lost its data lost the connection, too."""
        if name in self._declared:
            return
        try:
            self._app.amqp.queues[name](self._channel).declare()
        except PreconditionFailed as exc:
            # It exists, declared otherwise by someone else: good enough to publish to.
            logger.warning("queue %s exists with other properties: %s", name, exc)
            self._open_channel()
        self._declared.add(name)

    def drop(self) -> None:
        """Let go of the connection without a word to the broker, which may be frozen."""
        connecting.let_go(self._connection)


class Confirms:
    """RabbitMQ's publisher confirms, awaited once for a whole batch."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._published = 0
        self._open: set[int] = set()
        self._refused = False
        channel.confirm_select()
        channel.events["basic_ack"].add(self._on_ack)
        channel.events["basic_nack"].add(self._on_nack)

    def expect_one(self) -> None:
        """Another message is about to be published."""
        self._published += 1
        self._open.add(self._published)

    def wait(self, deadline: float) -> None:
        """Wait until everything is confirmed.

        Raises:
            TimeoutError: not by the deadline (``time.monotonic()``).
            MessageNacked: the broker refused a message.
        """
        while self._open and not self._refused:
            self._channel.connection.drain_events(timeout=max(deadline - time.monotonic(), 0.001))
        if self._refused:
            raise MessageNacked(f"the broker refused {len(self._open)} messages")

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {tag for tag in self._open if tag > delivery_tag}
        else:
            self._open.discard(delivery_tag)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        del delivery_tag, multiple  # the whole batch is published again
        self._refused = True
