"""The lengths of queues, told in bounded time or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from celery import Celery

from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from support.server import Server
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers.connecting import BrokerUnavailable, queue_lengths
from taskgate.tasks.settings import Settings

MOST_SECONDS = 30.0
"""Several times what it may take, for busy machines; without bounds it would be for ever."""


@pytest.fixture(params=[RedisServer, RabbitMQServer])
def broker(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param() as server:
        yield server


@pytest.fixture
def app(broker: RedisServer | RabbitMQServer) -> Iterator[Celery]:
    with create_app(Settings(celery_broker_url=broker.url())) as app:
        yield app


def test_what_waits_is_counted(app: Celery) -> None:
    for _ in range(3):
        app.send_task("any", queue="some", ignore_result=True)
    assert queue_lengths(app, ["some", "none"]) == {"some": 3, "none": 0}


def test_a_frozen_broker_is_told(broker: Server, app: Celery) -> None:
    assert queue_lengths(app, ["some"]) == {"some": 0}
    broker.pause()
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable):
        queue_lengths(app, ["some"])
    assert time.monotonic() - began < MOST_SECONDS


def test_a_broker_that_is_down_is_told(broker: Server, app: Celery) -> None:
    broker.kill()
    with pytest.raises(BrokerUnavailable):
        queue_lengths(app, ["some"])
