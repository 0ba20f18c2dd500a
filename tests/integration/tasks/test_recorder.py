"""Ends that are recorded together by a worker's main process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from support.records import WORKER, read, recorded_statements, submit, upgraded
from support.waiting import wait_until
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.lifecycle import State
from taskgate.tasks.worker.counts import Counts
from taskgate.tasks.worker.recorder import LONGEST_PACKET, SuccessRecorder

SECONDS = 60


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = upgraded(database_url)
    yield database
    database.close()


@pytest.fixture
def runs() -> list[float]:
    return []


@pytest.fixture
def recorder(database: Database, runs: list[float]) -> Iterator[SuccessRecorder]:
    recorder = SuccessRecorder(database, on_run=runs.append, counts=Counts())
    yield recorder
    recorder.stop(SECONDS)
    recorder.close()


def running(database: Database, number: int = 1) -> list[str]:
    with database.write() as tx:
        ids = [submit(tx) for _ in range(number)]
        transitions.claim_many(tx, [(task_id, 1) for task_id in ids], WORKER)
    return ids


def send(recorder: SuccessRecorder, task_id: str, result: str = "3", attempt: int = 1) -> bool:
    return recorder.sender.send(task_id, attempt, result, time.monotonic())


def test_what_came_meanwhile_is_recorded_in_one_statement(
    database: Database, recorder: SuccessRecorder, runs: list[float]
) -> None:
    ids = running(database, 50)
    assert all(send(recorder, task_id) for task_id in ids)
    with recorded_statements(database) as statements:
        recorder.start()
        assert recorder.settle(SECONDS)
        updates = [statement for statement, _ in statements if "UPDATE" in statement]
    assert len(updates) == 1
    assert {read(database, task_id).state for task_id in ids} == {State.SUCCEEDED}
    assert len(runs) == 50


def test_what_is_too_long_or_has_no_room_is_the_senders_to_record(
    recorder: SuccessRecorder,
) -> None:
    assert not send(recorder, "id", "1" * LONGEST_PACKET)
    for _ in range(1_000_000):
        if not send(recorder, "id"):
            break
    else:
        pytest.fail("it takes any number of ends that nobody reads")


def test_a_pool_process_notices_that_the_main_process_is_gone(recorder: SuccessRecorder) -> None:
    child = os.fork()
    if child == 0:
        recorder.sender.forked()
        os._exit(0 if _fails_in_time(recorder) else 1)
    recorder._socket.close()  # as the main process's end does
    assert os.waitpid(child, 0)[1] == 0


def _fails_in_time(recorder: SuccessRecorder) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not send(recorder, "id"):
            return True
        time.sleep(0.01)
    return False


def test_settled_only_when_it_is_on_record(
    database: Database, recorder: SuccessRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    [task_id] = running(database)
    is_away = _away(monkeypatch, database)
    recorder.start()
    assert send(recorder, task_id)
    assert not recorder.settle(0.5)
    is_away.clear()
    assert recorder.settle(SECONDS)
    assert read(database, task_id).state is State.SUCCEEDED


def test_a_worker_that_stops_records_what_was_sent(
    database: Database, recorder: SuccessRecorder
) -> None:
    ids = running(database, 20)
    for task_id in ids:
        send(recorder, task_id)
    recorder.start()
    assert recorder.stop(SECONDS)
    assert {read(database, task_id).state for task_id in ids} == {State.SUCCEEDED}


def test_it_says_so_when_it_could_not(
    database: Database, recorder: SuccessRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    [task_id] = running(database)
    is_away = _away(monkeypatch, database)
    recorder.start()
    send(recorder, task_id)
    assert not recorder.stop(0.5)
    is_away.clear()
    assert read(database, task_id).state is State.RUNNING


def test_an_end_whose_commit_was_not_confirmed_is_recorded_once(
    database: Database, recorder: SuccessRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    [task_id] = running(database)
    autocommit = database.autocommit
    unconfirmed: list[int] = []

    @contextmanager
    def unconfirmed_once() -> Iterator[Connection]:
        with autocommit() as tx:
            yield tx
        if not unconfirmed:
            unconfirmed.append(1)
            raise StoreUnavailable("no answer to the commit")

    monkeypatch.setattr(database, "autocommit", unconfirmed_once)
    recorder.start()
    send(recorder, task_id)
    assert recorder.settle(SECONDS)
    task = read(database, task_id)
    assert (unconfirmed, task.state, task.result) == ([1], State.SUCCEEDED, "3")
    assert task.version == 3  # submitted, claimed, ended


def test_the_end_of_an_attempt_that_was_given_up_changes_nothing(
    database: Database, recorder: SuccessRecorder
) -> None:
    [lost, good] = running(database, 2)
    with database.write() as tx:
        transitions.give_back(tx, lost, 1)
    send(recorder, lost)
    send(recorder, good)
    recorder.start()
    assert recorder.settle(SECONDS)
    assert (read(database, lost).state, read(database, lost).attempt) == (State.QUEUED, 2)
    assert read(database, good).state is State.SUCCEEDED


def test_one_that_cannot_be_recorded_does_not_keep_the_others(
    database: Database, recorder: SuccessRecorder
) -> None:
    [bad, good] = running(database, 2)
    # No JSON has such a character; PostgreSQL refuses it, SQLite does not.
    send(recorder, bad, '"\x00"')
    send(recorder, good)
    recorder.start()
    assert recorder.settle(SECONDS)
    assert read(database, good).state is State.SUCCEEDED
    assert read(database, bad).is_final


def test_the_start_is_when_the_code_began(database: Database, recorder: SuccessRecorder) -> None:
    [task_id] = running(database)
    claimed_at = read(database, task_id).started_at
    assert claimed_at is not None
    began_at = time.monotonic()
    wait_until(lambda: time.monotonic() - began_at > 0.05, 10)
    recorder.sender.send(task_id, 1, "3", time.monotonic())
    recorder.start()
    assert recorder.settle(SECONDS)
    started_at = read(database, task_id).started_at
    assert started_at is not None
    assert started_at > claimed_at


def _away(monkeypatch: pytest.MonkeyPatch, database: Database) -> Any:
    """The database does not answer while the list that this returns holds something."""
    autocommit = database.autocommit
    is_away = [1]

    @contextmanager
    def maybe_away() -> Iterator[Connection]:
        if is_away:
            raise StoreUnavailable("the database is away")
        with autocommit() as tx:
            yield tx

    monkeypatch.setattr(database, "autocommit", maybe_away)
    return is_away
