"""An end whose commit the database did not confirm: what follows it follows all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery
from celery.app.task import Context
from sqlalchemy import Connection

from support.records import FAILURE, WORKER, read, submit, upgraded
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.lifecycle import State
from taskgate.tasks.attempt import Attempt
from taskgate.tasks.messages import ATTEMPT_HEADER
from taskgate.tasks.recording import Recorder
from taskgate.tasks.results import RecordReader
from taskgate.tasks.worker import identity


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(identity, "current", lambda: WORKER)  # workers try again
    database = upgraded(database_url)
    yield database
    database.close()


def running(database: Database, *, aborted: bool = False) -> Attempt:
    """An attempt that this worker has claimed."""
    with database.write() as tx:
        task_id = submit(tx)
        claimed = transitions.claim(tx, task_id, 1, WORKER)
        if aborted:
            transitions.request_abort(tx, task_id, by="someone", reason="")
    request = Context({"id": task_id, "hostname": WORKER, ATTEMPT_HEADER: 1})
    recorder = Recorder(Celery(set_as_current=False), database)
    return Attempt(recorder, task_id, request, claimed)


def fail_once(database: Database, monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
    """Have the next transaction fail, after its commit or before it."""
    really = database.write
    fates = iter([StoreUnavailable("on purpose")])

    @contextmanager
    def write() -> Iterator[Connection]:
        error = next(fates, None)
        with really() as tx:
            yield tx
            if error is not None and not committed:
                raise error
        if error is not None:
            raise error

    monkeypatch.setattr(database, "write", write)


@pytest.mark.parametrize("committed", [True, False])
def test_a_failure_is_told_to_who_waits_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    attempt = running(database)
    fail_once(database, monkeypatch, committed=committed)

    assert attempt.fail(ValueError("no")) is State.FAILED
    assert read(database, attempt.task_id).version == 3


@pytest.mark.parametrize("committed", [True, False])
def test_so_is_an_abort(
    database: Database, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    attempt = running(database, aborted=True)
    fail_once(database, monkeypatch, committed=committed)

    assert attempt.stop() is State.ABORTED
    assert read(database, attempt.task_id).version == 4


def test_anothers_end_is_not_taken_for_ones_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = running(database)
    with database.write() as tx:
        transitions.lose(tx, attempt.task_id, 1, FAILURE, max_losses=1)
        transitions.claim(tx, attempt.task_id, 2, "another")
        transitions.fail(tx, attempt.task_id, 2, FAILURE)
    fail_once(database, monkeypatch, committed=False)

    assert attempt.fail(ValueError("no")) is None


def test_a_worker_that_reads_results_waits_for_the_database(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chord's body reads those of its parts, and would fail with the database."""
    attempt = running(database)
    assert attempt.succeed("5", []) is State.SUCCEEDED
    backend = RecordReader(Celery(set_as_current=False), url=database_url)
    really = backend.database.read
    fates = iter([StoreUnavailable("on purpose")] * 4)

    @contextmanager
    def read_in_vain() -> Iterator[Connection]:
        if (error := next(fates, None)) is not None:
            raise error
        with really() as tx:
            yield tx

    monkeypatch.setattr(backend.database, "read", read_in_vain)
    assert backend.get_task_meta(attempt.task_id, cache=False)["result"] == 5
    assert [task_id for task_id, _ in backend.get_many([attempt.task_id])] == [attempt.task_id]
    monkeypatch.setattr(identity, "current", lambda: None)
    fates = iter([StoreUnavailable("on purpose")])
    with pytest.raises(StoreUnavailable, match="on purpose"):
        backend.get_task_meta(attempt.task_id, cache=False)
    backend.database.close()
