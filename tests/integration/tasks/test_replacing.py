"""``Task.replace``: the record goes on as another task, or as the last one of a canvas."""

from __future__ import annotations

from typing import Any

import pytest
from celery import chain, chord, group
from celery.contrib.abortable import AbortableAsyncResult
from sqlalchemy import func, select

from support.celery_system import System, failure_of
from support.waiting import wait_until
from taskgate.store import queries
from taskgate.store.lifecycle import Outcome, State
from taskgate.store.record import new_task_id
from taskgate.store.tables import chords
from taskgate.tasks.messages import sent_by

pytestmark = pytest.mark.parametrize(
    "system", ["sqla+sqlite-threads", "redis+postgresql-prefork"], indirect=True
)

SECONDS = 30


def test_the_record_goes_on_as_the_other_task(system: System) -> None:
    result = system.app.signature("replacing.with_task", (3,)).delay()

    assert result.get(timeout=SECONDS) == 6
    task = system.task(result.id)
    assert (task.task_type, task.arguments) == ("features.twice", '{"args": [3], "kwargs": {}}')
    assert (task.attempt, task.retries) == (2, 0)
    assert [one.outcome for one in task.attempts] == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]


def test_a_submitted_task_can_be_replaced(system: System) -> None:
    task_id = system.submit("replacing.with_task", 3)

    assert system.wait_final(task_id).result == "6"


def test_the_other_task_may_be_due_later_and_elsewhere(system: System) -> None:
    options = {"countdown": 3600, "queue": "elsewhere", "priority": 1}
    result = system.app.signature("replacing.with_task", (3,), options).delay()

    wait_until(lambda: _state(system, result.id) is State.SCHEDULED, SECONDS)
    task = system.task(result.id)
    assert (task.queue, task.attempt, task.started_at) == ("elsewhere", 2, None)
    assert task.due_at
    assert result.state == "PENDING"
    AbortableAsyncResult(result.id, app=system.app).abort()
    assert system.task(result.id).state is State.ABORTED


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("chain", 8 * 3),
        ("group", [6, 8]),
        ("chord", 6 + 8),
        ("chord with a chain", 2 * (6 + 8)),
        ("chain with a group", 12 + 12),
    ],
)
def test_by_a_canvas(system: System, kind: str, expected: Any) -> None:
    result = system.app.signature("replacing.with_canvas", (kind, 3)).delay()

    assert result.get(timeout=SECONDS) == expected
    assert system.task(result.id).attempt == 2


@pytest.mark.parametrize("kind", ["failing chain", "failing header"])
def test_by_a_canvas_that_fails_before_its_end(system: System, kind: str) -> None:
    result = system.app.signature("replacing.with_canvas", (kind, 3)).delay()

    task = system.wait_final(result.id)
    assert task.state is State.FAILED
    assert "ValueError" in failure_of(task).type + failure_of(task).message


def test_many_times(system: System) -> None:
    result = system.app.signature("replacing.by_itself", (5,)).delay()

    assert result.get(timeout=SECONDS) == 5
    assert system.task(result.id).attempt == 6


def test_an_abort_while_the_canvas_runs(system: System) -> None:
    waiting = system.app.signature("replacing.waits_for_late", (1,)).delay()
    wait_until(lambda: _attempt(system, waiting.id) == 2, SECONDS)
    assert (waiting.state, system.task(waiting.id).state) == ("PENDING", State.QUEUED)

    AbortableAsyncResult(waiting.id, app=system.app).abort()

    assert system.task(waiting.id).state is State.ABORTED
    system.start_worker("--pool=solo", "--queues=late", "--hostname=late@%h")
    system.wait_log(f"task {waiting.id} does not run here")
    assert system.task(waiting.id).state is State.ABORTED


def test_what_follows_runs_after_the_other_task(system: System) -> None:
    app = system.app
    replaced = app.signature("replacing.with_canvas", ("chain", 1))
    twice = app.signature("features.twice")

    assert chain(replaced, twice, app=app).delay().get(timeout=SECONDS) == 16
    header = [replaced.clone(), app.signature("replacing.with_task", (2,))]
    body = app.signature("features.total")
    assert chord(header, app=app)(body).get(timeout=SECONDS) == 8 + 4
    joined: Any = group([replaced.clone(), twice.clone((1,))], app=app).delay()
    assert joined.get(timeout=SECONDS) == [8, 2]


def test_the_other_task_is_retried_as_any(system: System) -> None:
    result = system.app.signature("replacing.with_one_that_fails_once", (1,)).delay()

    assert result.get(timeout=SECONDS) == [2, 1]
    task = system.task(result.id)
    assert (task.task_type, task.attempt) == ("replacing.fails_once", 3)
    assert [one.outcome for one in task.attempts] == [
        Outcome.SUCCEEDED,
        Outcome.FAILED,
        Outcome.SUCCEEDED,
    ]


def test_the_last_task_of_a_canvas_is_sent_twice(system: System) -> None:
    """The second is a duplicate: its record has gone on."""
    result = system.app.signature("replacing.with_canvas", ("chain", 1)).delay()
    assert result.get(timeout=SECONDS) == 8

    system.app.signature("features.twice", (9,)).apply_async(
        task_id=result.id, headers={"taskgate_sent": _sender(system, result.id)}
    )
    system.wait_log(f"task {result.id} does not run here")

    assert system.task(result.id).result == "8"


def test_a_part_may_add_another_to_its_chord(system: System) -> None:
    header = [system.app.signature("replacing.adds_to_chord", (n,)) for n in (1, 2)]

    result = chord(header, app=system.app)(system.app.signature("features.total"))

    assert result.get(timeout=SECONDS) == 1 + 2 + 2 + 4


def test_an_id_that_is_used_again_is_another_task(system: System) -> None:
    task_id = new_task_id()
    twice = system.app.signature("features.twice")
    first = twice.apply_async((1,), task_id=task_id)
    assert first.get(timeout=SECONDS) == 2

    twice.apply_async((2,), task_id=task_id)

    wait_until(lambda: _result(system, task_id) == "4", SECONDS)
    assert (system.task(task_id).attempt, system.task(task_id).past_attempts) == (2, ())


def test_a_canvas_that_is_applied_again_runs_again(system: System) -> None:
    app = system.app
    header = [app.signature("journal.run", (0, n)) for n in (1, 2)]
    body = app.signature("journal.run", (0,))
    canvas = chord(header, body, app=app)
    canvas.freeze()
    parts = [part.id for part in canvas.tasks.tasks]
    for times in (1, 2):
        canvas.apply_async()
        _wait_for_runs(system, parts, times)
        wait_until(lambda: not _chords(system), SECONDS, "the chord is over, its body started")


def test_an_id_of_a_submitted_task_is_not_used_again(system: System) -> None:
    task_id = system.submit("features.twice", 1)
    assert system.wait_final(task_id).result == "2"

    system.app.signature("features.twice", (5,)).apply_async(task_id=task_id)
    system.wait_log(f"task {task_id} does not run here")

    assert system.task(task_id).result == "2"


def _wait_for_runs(system: System, task_ids: list[str], times: int) -> None:
    expected = ["start", "end"] * times
    wait_until(lambda: all(system.journal.words(one) == expected for one in task_ids), SECONDS)


def _state(system: System, task_id: str) -> State | None:
    with system.deployment.database.read() as tx:
        found = queries.get_many(tx, [task_id]).get(task_id)
    return None if found is None else found.state


def _attempt(system: System, task_id: str) -> int:
    with system.deployment.database.read() as tx:
        found = queries.get_many(tx, [task_id]).get(task_id)
    return 0 if found is None else found.attempt


def _result(system: System, task_id: str) -> str | None:
    with system.deployment.database.read() as tx:
        found = queries.get_many(tx, [task_id]).get(task_id)
    return None if found is None else found.result


def _sender(system: System, task_id: str) -> str:
    return sent_by(system.task(task_id)) or ""


def _chords(system: System) -> int:
    with system.deployment.database.read() as tx:
        return tx.execute(select(func.count()).select_from(chords)).scalar_one()
