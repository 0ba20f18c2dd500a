"""Celery programs on the record need no server: workers publish and rescue, too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import chord
from celery.contrib.abortable import AbortableAsyncResult

from support.celery_system import System
from support.waiting import wait_until
from taskgate.store import submission
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, new_task_id

pytestmark = pytest.mark.parametrize(
    "system", ["sqla+sqlite-threads-alone", "redis+postgresql-prefork-alone"], indirect=True
)

SECONDS = 60


def test_a_retry_runs(system: System) -> None:
    result = system.app.signature("features.count_retries", (2,)).delay()
    assert result.get(timeout=SECONDS) == [2, 20]


def test_what_is_recorded_for_later_runs_when_it_is_due(system: System) -> None:
    task_id = new_task_id()
    delay = timedelta(seconds=1)
    new = NewTask(task_id, "demo.add", '{"args": [1, 2], "kwargs": {}}', "celery", delay=delay)
    with system.deployment.database.write() as tx:
        submission.submit(tx, [new])
    task = system.wait_final(task_id, SECONDS)
    assert task.state is State.SUCCEEDED
    assert task.started_at
    assert task.started_at >= task.created_at + delay


def test_a_chord_is_completed(system: System) -> None:
    header = [system.app.signature("features.twice", (n,)) for n in range(3)]
    result = chord(header, app=system.app)(system.app.signature("features.total"))
    assert result.get(timeout=SECONDS) == 6


def test_an_aborted_task_stops(system: System) -> None:
    result = system.app.signature("journal.abortable", (60,)).delay()
    wait_until(lambda: "start" in system.journal.words(result.id), SECONDS)
    AbortableAsyncResult(result.id, app=system.app).abort()
    assert system.wait_final(result.id, SECONDS).state is State.ABORTED


def test_what_a_killed_worker_ran_runs_again(system: System) -> None:
    victim = system.start_worker("--pool=solo", "--queues=victims", "--hostname=victim@%h")
    result = system.app.signature("features.dies_once").set(queue="victims").delay()
    wait_until(lambda: victim.exit_code is not None, SECONDS)
    system.start_worker("--pool=solo", "--queues=victims", "--hostname=heir@%h")
    assert system.wait_final(result.id, SECONDS).attempt == 2
