"""Aborting: never lost, never overwritten, never the ruin of a finished task."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.records import FAILURE, HOUR, NOW, WORKER, make_due, read, submit, submitted_in, take
from taskgate.store import outbox, transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskAlreadyFinal, TaskNotFound
from taskgate.store.lifecycle import WAITING, Outcome, State
from taskgate.store.record import Task

MINUTE = timedelta(minutes=1)


def abort(
    database: Database, task_id: str, force_after: timedelta | None = None, reason: str = "because"
) -> Task:
    with database.write() as tx:
        return transitions.request_abort(
            tx, task_id, by="someone", reason=reason, force_after=force_after
        )


@pytest.mark.parametrize("state", sorted(WAITING))
def test_a_waiting_task_is_aborted_and_never_runs(database: Database, state: State) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
    task = abort(database, task_id)
    assert task == read(database, task_id)
    assert task.state is State.ABORTED
    assert task.abort_requested_at
    assert (task.abort_by, task.abort_reason, task.abort_force_at) == ("someone", "because", None)
    with database.write() as tx:
        assert transitions.claim(tx, task_id, task.attempt, WORKER) is None
        assert outbox.look(tx).seconds_until_due is None


def test_an_abort_in_a_retry_wait_leaves_the_history(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RETRYING)
    task = abort(database, task_id)
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.FAILED]


def test_a_running_task_is_asked_to_stop(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    task = abort(database, task_id)
    assert task.state is State.ABORTING
    assert task.finished_at is None
    assert task.abort_requested_at
    with database.write() as tx:
        assert transitions.stop(tx, task_id, 1)
    task = read(database, task_id)
    assert task.state is State.ABORTED
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.ABORTED]


def test_a_task_that_never_looked_and_completed_succeeded(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.ABORTING)
        assert transitions.succeed(tx, task_id, 1, "3")
    task = read(database, task_id)
    assert (task.state, task.result) == (State.SUCCEEDED, "3")
    assert task.abort_requested_at


def test_an_aborting_task_is_not_retried(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.ABORTING)
        assert transitions.back_off(tx, task_id, 1, FAILURE, delay=NOW, retries=1)
        make_due(tx, task_id)
        assert take(tx, task_id) is None
    assert read(database, task_id).state is State.ABORTED


def test_asking_again_leaves_the_first_request_standing(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    first = abort(database, task_id)
    assert abort(database, task_id, reason="another") == first


def test_aborting_an_aborted_task_again_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    first = abort(database, task_id)
    assert abort(database, task_id, force_after=NOW) == first


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.EXPIRED])
def test_a_task_that_ended_otherwise_is_left_alone(database: Database, state: State) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state)
    before = read(database, task_id)
    with pytest.raises(TaskAlreadyFinal) as raised:
        abort(database, task_id)
    assert (raised.value.task_id, raised.value.state) == (task_id, state)
    assert read(database, task_id) == before


@pytest.mark.parametrize("task_id", ["never submitted", "\0", "\ud800", "%s", "x" * 10_000])
def test_an_unknown_task_is_not_found(database: Database, task_id: str) -> None:
    with pytest.raises(TaskNotFound):
        abort(database, task_id)


def test_a_forced_abort_says_when(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    task = abort(database, task_id, force_after=MINUTE)
    assert task.state is State.ABORTING
    assert task.abort_requested_at
    assert task.abort_force_at
    assert abs(task.abort_force_at - task.abort_requested_at - MINUTE).total_seconds() < 5


def test_force_can_be_added_and_hastened_but_not_put_off(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
    abort(database, task_id)
    added = abort(database, task_id, force_after=HOUR)
    hastened = abort(database, task_id, force_after=MINUTE)
    assert added.abort_requested_at
    assert hastened.abort_requested_at
    assert added.abort_force_at
    assert hastened.abort_force_at
    assert hastened.abort_force_at < added.abort_force_at
    assert abort(database, task_id, force_after=HOUR) == hastened
    assert abort(database, task_id) == hastened


def test_a_reason_of_any_characters_is_kept(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    task = abort(database, task_id, reason="%s \0 \ud800 😀 %(x)s :y")
    assert task.abort_requested_at
    assert task.abort_reason == "%s \ufffd \ufffd 😀 %(x)s :y"
