"""Publishing: at once, when due, and when the broker is back."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from support.records import new_task, read
from support.redis import RedisServer
from support.requests import duration, get, submit
from support.serving import SECONDS, InProcessServer
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store import submission
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.tables import outbox as outbox_table
from taskgate.store.tables import tasks
from taskgate.tasks.app import create_app
from taskgate.v1 import task_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


class Broker:
    """The broker's queue, as a worker sees it."""

    def __init__(self, settings: ServerSettings) -> None:
        self._app = create_app(settings)

    def received(self, count: int) -> list[str]:
        """The ids of so many messages; an error if they do not come."""
        ids: list[str] = []
        with self._app.connection_for_read() as connection:
            queue = self._app.amqp.queues["celery"](connection.channel())
            queue.declare()

            def receive() -> bool:
                while message := queue.get(no_ack=True):
                    ids.append(message.headers["id"])
                return len(ids) >= count

            wait_until(receive, timeout=SECONDS, what=f"{count} messages")
        return ids


def unpublished(database: Database) -> int:
    rows = select(func.count()).select_from(outbox_table)
    with database.read() as tx:
        return int(tx.execute(rows.where(outbox_table.c.published_at.is_(None))).scalar_one())


def test_a_submitted_task_is_published_once(server: InProcessServer, database: Database) -> None:
    stub = server.stub()
    calls = [stub.Submit.future(submit(), timeout=SECONDS) for _ in range(50)]
    ids = sorted(call.result().task.id for call in calls)
    assert sorted(Broker(server.settings).received(50)) == ids
    wait_until(lambda: unpublished(database) == 0, what="all are published")


def test_a_delayed_task_is_published_when_it_is_due(
    server: InProcessServer, database: Database
) -> None:
    stub = server.stub()
    begun_at = time.monotonic()
    task = stub.Submit(submit(delay=duration(1)), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_SCHEDULED
    assert Broker(server.settings).received(1) == [task.id]
    assert time.monotonic() - begun_at >= 1
    assert read(database, task.id).state is State.QUEUED


def test_what_another_server_left_behind_is_published(
    server: InProcessServer, database: Database
) -> None:
    new = new_task()
    with database.write() as tx:
        submission.submit(tx, [new])
        tx.execute(update(outbox_table).values(publish_at=clock.now()))
    assert Broker(server.settings).received(1) == [new.id]
    wait_until(lambda: unpublished(database) == 0, what="all are published")


def test_what_expires_before_it_starts_never_does(stub: TaskServiceStub) -> None:
    request = submit(delay=duration(60), ttl=duration(1))
    task_id = stub.Submit(request, timeout=SECONDS).task.id
    again = submit(ttl=duration(0.5))
    expiring = stub.Submit(again, timeout=SECONDS).task.id
    task = stub.Get(get(expiring, wait=SECONDS), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_EXPIRED
    assert stub.Get(get(task_id), timeout=SECONDS).task.state == task_pb2.TASK_STATE_SCHEDULED


def test_a_task_that_cannot_be_published_holds_nobody_up(
    server: InProcessServer, database: Database
) -> None:
    bad, good = new_task(arguments="no JSON"), new_task()
    with database.write() as tx:
        submission.submit(tx, [bad, good])
        tx.execute(update(outbox_table).values(publish_at=clock.now()))
    assert Broker(server.settings).received(1) == [good.id]
    wait_until(lambda: unpublished(database) == 0, what="both were tried")
    assert read(database, bad.id).state is State.QUEUED


@pytest.mark.parametrize("how", ["down", "frozen"])
def test_submit_does_not_wait_for_a_broker(
    database: Database, make_settings: Callable[..., ServerSettings], how: str
) -> None:
    with RedisServer() as redis:
        settings = make_settings(celery_broker_url=redis.url())
        with InProcessServer(settings) as server:
            stub = server.stub()
            stub.Submit(submit(), timeout=SECONDS)
            Broker(settings).received(1)
            redis.kill() if how == "down" else redis.pause()
            ids = [stub.Submit(submit(), timeout=2).task.id for _ in range(20)]
            wait_until(lambda: unpublished(database) >= 20, what="all wait in the outbox")
            redis.start() if how == "down" else redis.resume()
            received = Broker(settings).received(20)
            assert set(received) >= set(ids) or set(ids) <= set(received)
            wait_until(lambda: unpublished(database) == 0, SECONDS, "all are published")


def test_two_servers_publish_a_backlog_once(server: InProcessServer, database: Database) -> None:
    with InProcessServer(server.settings):
        with database.write() as tx:
            new_tasks = [new_task() for _ in range(300)]
            submission.submit(tx, new_tasks)
            tx.execute(update(outbox_table).values(publish_at=clock.now()))
        received = Broker(server.settings).received(300)
        wait_until(lambda: unpublished(database) == 0, what="all are published")
    assert sorted(received) == sorted(new.id for new in new_tasks)


def test_an_aborted_task_is_not_published(server: InProcessServer, database: Database) -> None:
    aborted, good = new_task(), new_task()
    with database.write() as tx:
        submission.submit(tx, [aborted, good])
        tx.execute(update(tasks).where(tasks.c.id == aborted.id).values(state=State.ABORTED))
        tx.execute(update(outbox_table).values(publish_at=clock.now()))
    assert Broker(server.settings).received(1) == [good.id]
