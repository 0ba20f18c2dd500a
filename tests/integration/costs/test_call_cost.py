"""What calls cost the database, counted: alone, and as many as wait while a statement runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from support.records import upgraded
from support.requests import get, submit
from support.serving import SECONDS, InProcessServer, parameter, register
from support.waiting import wait_until
from taskgate.server.background.batcher import Batcher
from taskgate.server.settings import ServerSettings
from taskgate.store import queries, submission

AT_ONCE = 100

RECORDED = {"postgresql": 1, "sqlite": 3}
"""Statements that record tasks; SQLite begins a transaction, and writes one table in each."""

READ = {"postgresql": 1, "sqlite": 2}
"""Statements that read tasks."""


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[InProcessServer]:
    database = upgraded(database_url)
    register(database, "demo.add", parameter("x"), parameter("y"))
    database.close()
    settings = ServerSettings(
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        postgres_url=database_url,
        taskgate_address="127.0.0.1:0",
    )
    with InProcessServer(settings) as server:
        server.stub().Submit(submit(), timeout=SECONDS)  # task types and capacity are read
        yield server


def statements_of(server: InProcessServer, thread: str) -> list[str]:
    """Grows by each statement that a thread of the server executes."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name == thread:
            statements.append(statement)

    event.listen(server.server._database.engine, "before_cursor_execute", note)
    return statements


class Gate:
    """Holds a function of the store up at its first call, until it is opened."""

    def __init__(self, module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._function: Callable[..., Any] = getattr(module, name)
        monkeypatch.setattr(module, name, self._held_up)

    def _held_up(self, *args: Any, **options: Any) -> Any:
        self.reached.set()
        assert self.opened.wait(SECONDS)
        return self._function(*args, **options)

    def open_when(self, batcher: Batcher[Any, Any], waiting: int) -> None:
        """Open it once as many callers wait behind the first."""
        wait_until(lambda: len(batcher._pending) == waiting, SECONDS, f"{waiting} callers wait")
        self.opened.set()


def dialect(server: InProcessServer) -> str:
    return str(server.server._database.engine.dialect.name)


def test_a_submit_alone_is_one_statement(server: InProcessServer) -> None:
    statements = statements_of(server, "taskgate-writer")
    server.stub().Submit(submit(), timeout=SECONDS)
    assert len(statements) == RECORDED[dialect(server)], statements


def test_submits_that_wait_for_a_commit_share_the_next(
    server: InProcessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = statements_of(server, "taskgate-writer")
    stub = server.stub()
    gate = Gate(submission, "submit", monkeypatch)
    first = stub.Submit.future(submit(), timeout=SECONDS)
    assert gate.reached.wait(SECONDS)
    others = [stub.Submit.future(submit(), timeout=SECONDS) for _ in range(AT_ONCE)]
    gate.open_when(server.server._writer._batcher, AT_ONCE)
    assert len({call.result().task.id for call in (first, *others)}) == AT_ONCE + 1
    assert len(statements) == 2 * RECORDED[dialect(server)], statements


def test_gets_that_wait_for_a_query_share_the_next(
    server: InProcessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = server.stub()
    ids = [stub.Submit(submit(), timeout=SECONDS).task.id for _ in range(10)]
    statements = statements_of(server, "taskgate-reader")
    gate = Gate(queries, "get_many", monkeypatch)
    first = stub.Get.future(get(ids[0]), timeout=SECONDS)
    assert gate.reached.wait(SECONDS)
    others = [stub.Get.future(get(ids[n % 10]), timeout=SECONDS) for n in range(AT_ONCE)]
    gate.open_when(server.server._reader._batcher, AT_ONCE)
    found = [call.result().task.id for call in (first, *others)]
    assert found == [ids[0], *(ids[n % 10] for n in range(AT_ONCE))]
    assert len(statements) == 2 * READ[dialect(server)], statements
