"""An attempt that was claimed ahead, at the moment when it would begin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, states
from celery.app.trace import build_tracer

from support.records import WORKER, read, submit, upgraded
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.transitions import Claim
from taskgate.tasks import handover
from taskgate.tasks.base import LOOK_AFTER_SECONDS, TaskgateTask
from taskgate.tasks.handover import Handover
from taskgate.tasks.messages import ATTEMPT_HEADER

Run = Callable[..., str]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = upgraded(database_url)
    yield database
    database.close()


@pytest.fixture
def calls() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def run(database_url: str, calls: list[tuple[int, int]]) -> Iterator[Run]:
    """Traces a task as a pool process does; Celery's word for how it ended."""
    app: Any = Celery("test", task_cls=TaskgateTask, set_as_current=False)
    app.conf.result_backend = f"taskgate.tasks.backend:RecordBackend+{database_url}"

    def add(x: int, y: int) -> int:
        calls.append((x, y))
        return x + y

    task = app.task(name="handover.add", shared=False)(add)
    app.finalize()
    task.__trace__ = build_tracer("handover.add", task, app=app)

    def run(claim: Claim, **given: Any) -> str:
        request = {"id": claim.task_id, "task": "handover.add", ATTEMPT_HEADER: claim.attempt}
        handover.put(request, Handover(claim, **given))
        traced = task.__trace__(claim.task_id, (1, 2), {}, request)
        return states.SUCCESS if traced.info is None else str(traced.info.state)

    yield run
    app.backend.database.close()
    app.close()


def claimed(database: Database, *, aborted: bool = False) -> Claim:
    with database.write() as tx:
        task_id = submit(tx)
        claim = transitions.claim(tx, task_id, 1, WORKER)
        assert claim is not None
        if aborted:
            transitions.request_abort(tx, task_id, by="someone", reason="")
    return claim


def long_ago() -> float:
    return time.monotonic() - 2 * LOOK_AFTER_SECONDS


def test_it_runs(database: Database, run: Run, calls: list[tuple[int, int]]) -> None:
    claim = claimed(database)
    assert run(claim, claimed_at=long_ago()) == states.SUCCESS
    assert (calls, read(database, claim.task_id).result) == ([(1, 2)], "3")


def test_aborted_since_it_was_claimed(
    database: Database, run: Run, calls: list[tuple[int, int]]
) -> None:
    claim = claimed(database, aborted=True)
    assert run(claim, claimed_at=long_ago()) == states.IGNORED
    assert (calls, read(database, claim.task_id).state) == ([], State.ABORTED)


def test_given_to_another_since_it_was_claimed(
    database: Database, run: Run, calls: list[tuple[int, int]]
) -> None:
    claim = claimed(database)
    with database.write() as tx:
        transitions.give_back(tx, claim.task_id, 1)
    assert run(claim, claimed_at=long_ago()) == states.IGNORED
    assert (calls, read(database, claim.task_id).attempt) == ([], 2)


def test_taken_back_before_a_thread_began_it(
    database: Database, run: Run, calls: list[tuple[int, int]]
) -> None:
    claim = claimed(database)
    assert run(claim, claimed_at=time.monotonic(), start=lambda: False) == states.IGNORED
    assert (calls, read(database, claim.task_id).state) == ([], State.RUNNING)
