"""Concurrent Submits share transactions, and none pays for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from sqlalchemy import Connection, event, func, select

from support.records import new_task
from support.requests import submit
from support.serving import SECONDS, WORKER, InProcessServer
from taskgate.server.background.writer import Writer
from taskgate.server.errors import ShuttingDown
from taskgate.server.settings import ServerSettings
from taskgate.store import queries, submission, transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.store.tables import outbox, tasks
from taskgate.tasks.app import create_app
from taskgate.tasks.background.dispatcher import Dispatcher
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.v1 import task_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def writing_commits(server: InProcessServer) -> list[int]:
    """Grows by one with each commit of the server's writer."""
    commits: list[int] = []

    def count(connection: Connection) -> None:
        if connection.get_execution_options().get("taskgate_mode") == "write":
            commits.append(1)

    event.listen(server.server._database.engine, "commit", count)
    return commits


def test_many_submits_take_few_commits(server: InProcessServer, database: Database) -> None:
    stub = server.stub()
    stub.Submit(submit(), timeout=SECONDS)  # the task types are read
    commits = writing_commits(server)
    calls = [stub.Submit.future(submit(), timeout=SECONDS) for _ in range(500)]
    ids = {call.result().task.id for call in calls}
    assert len(ids) == 500
    assert len(commits) < 250
    with database.read() as tx:
        assert tx.execute(select(func.count()).select_from(tasks)).scalar_one() == 501


def test_a_submit_that_spoils_its_transaction_is_alone(
    server: InProcessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = submission.submit

    def spoilt(tx: Connection, new_tasks: Any, **options: Any) -> Any:
        if any(new.labels.get("spoils") for new in new_tasks):
            raise RuntimeError("no database would take this")
        return real(tx, new_tasks, **options)

    monkeypatch.setattr(submission, "submit", spoilt)
    stub = server.stub()
    requests = [submit(labels={"spoils": "1"} if n == 50 else {}) for n in range(100)]
    calls = [stub.Submit.future(request, timeout=SECONDS) for request in requests]
    codes = [call.code() for call in calls]
    assert codes.count(grpc.StatusCode.OK) == 99
    assert codes[50] is grpc.StatusCode.INTERNAL


def test_a_caller_who_gives_up_costs_nobody_anything(
    server: InProcessServer, database: Database
) -> None:
    stub = server.stub()
    stub.Submit(submit(), timeout=SECONDS)
    with database.write():  # holds SQLite's writer back; PostgreSQL has nothing to wait for
        hasty = [stub.Submit.future(submit(), timeout=0.2) for _ in range(20)]
        patient = [stub.Submit.future(submit(), timeout=SECONDS) for _ in range(20)]
        gone = {call.code() for call in hasty}
    assert gone <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.OK}
    assert {call.code() for call in patient} == {grpc.StatusCode.OK}


def test_what_was_published_leaves_the_outbox_with_its_claim(
    stub: TaskServiceStub, database: Database
) -> None:
    calls = [stub.Submit.future(submit(), timeout=SECONDS) for _ in range(50)]
    ids = [call.result().task.id for call in calls]
    rows = select(outbox.c.task_id).where(outbox.c.published_at.is_not(None))
    with database.write() as tx:
        assert set(tx.execute(rows).scalars()) == set(ids)
        claims = transitions.claim_many(tx, [(task_id, 1) for task_id in ids], WORKER)
        assert set(claims) == set(ids)
        assert tx.execute(select(func.count()).select_from(outbox)).scalar_one() == 0


def test_submits_of_two_servers_with_the_same_request_ids(
    server: InProcessServer, database: Database
) -> None:
    with InProcessServer(server.settings) as other:
        stubs = [server.stub(), other.stub()]
        orders = [range(100), reversed(range(100))]
        calls = [
            stub.Submit.future(submit("demo.add", 1, n, request_id=f"r{n}"), timeout=SECONDS)
            for stub, order in zip(stubs, orders, strict=True)
            for n in order
        ]
        assert {call.code() for call in calls} == {grpc.StatusCode.OK}
    with database.read() as tx:
        assert tx.execute(select(func.count()).select_from(tasks)).scalar_one() == 100


def test_threads_of_clients(server: InProcessServer) -> None:
    """Many connections at once, each waiting for its answer."""

    def submit_ten(_: int) -> list[int]:
        with grpc.insecure_channel(server.address) as channel:
            stub = TaskServiceStub(channel)
            return [stub.Submit(submit(), timeout=SECONDS).task.state for _ in range(10)]

    with ThreadPoolExecutor(10) as threads:
        states = [state for states in threads.map(submit_ten, range(10)) for state in states]
    assert states == [task_pb2.TASK_STATE_QUEUED] * 100


def test_the_writer_writes_what_is_pending_before_it_ends(
    database: Database, make_settings: Callable[..., ServerSettings]
) -> None:
    publisher = Publisher(create_app(make_settings()))
    writer = Writer(database, Dispatcher(database, publisher))

    async def stop_with_some_pending() -> list[Task]:
        submits = [asyncio.create_task(writer.submit(new_task())) for _ in range(20)]
        await asyncio.sleep(0)  # all of them have begun
        writer.refuse()
        with pytest.raises(ShuttingDown):
            await writer.submit(new_task())
        writer.loop.start()
        assert await asyncio.to_thread(writer.loop.stop, SECONDS)
        return await asyncio.gather(*submits)

    written = asyncio.run(stop_with_some_pending())
    assert [task.state for task in written] == [State.QUEUED] * 20
    with database.read() as tx:
        assert len(queries.get_many(tx, [task.id for task in written])) == 20
