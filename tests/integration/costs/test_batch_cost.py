"""What a batch costs: one transaction, and one round trip to the broker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from support.records import upgraded
from support.requests import submit
from support.serving import SECONDS, InProcessServer, parameter, register
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store.record import Task
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.v1 import task_service_pb2


def transactions_with_inserts(engine: Engine) -> list[int]:
    """Grows by one with each commit of a transaction that inserted tasks."""
    inserting: set[int] = set()
    committed: list[int] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "INSERT INTO taskgate_tasks" in statement:
            inserting.add(id(connection))

    def count(connection: Any) -> None:
        if id(connection) in inserting:
            inserting.discard(id(connection))
            committed.append(1)

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", count)
    return committed


def test_a_thousand_take_one_transaction_and_one_round_trip(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = upgraded(database_url)
    register(database, "demo.add", parameter("x"), parameter("y"))
    database.close()
    settings = ServerSettings(
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        postgres_url=database_url,
        taskgate_address="127.0.0.1:0",
    )
    round_trips: list[int] = []
    publish = Publisher.publish

    def counted(self: Publisher, tasks: Sequence[Task]) -> None:
        publish(self, tasks)
        round_trips.append(len(tasks))

    monkeypatch.setattr(Publisher, "publish", counted)
    with InProcessServer(settings) as server:
        commits = transactions_with_inserts(server.server._database.engine)
        requests = [submit(priority=99) if n % 10 == 9 else submit() for n in range(1_000)]
        message = task_service_pb2.SubmitBatchRequest(requests=requests)
        server.stub().SubmitBatch(message, timeout=SECONDS)
        wait_until(lambda: sum(round_trips) >= 900, 30, "everything is published")
    assert len(commits) == 1
    assert round_trips == [900]
