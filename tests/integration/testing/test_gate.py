"""The test kit's fixture `gate`, as the plugin gives it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from celery import Celery, chord, group
from celery._state import get_current_app

from taskgate.client import ArgumentsInvalid, State, TaskAborted, TaskFailed
from taskgate.tasks import TaskgateTask, task
from taskgate.testing import Gate, NotRunnable
from taskgate.testing.worker import AppNotManaged


@task(name="kit.endless", bind=True)
def endless(self: TaskgateTask) -> None:
    """Run until it is aborted."""
    while not self.is_aborted():
        self.report_progress(1)


@task(name="kit.again", bind=True)
def again(self: TaskgateTask) -> None:
    """Submit itself once more."""
    self.delay()


@task(name="kit.pair")
def pair(left: Any, right: Any = None, *more: Any) -> list[Any]:
    """What it was given."""
    return [left, right, *more]


@task(name="kit.total")
def total(numbers: list[int]) -> int:
    """The sum."""
    return sum(numbers)


def test_a_task_runs_to_its_end_with_every_attempt(gate: Gate) -> None:
    flaky = gate.client.submit("demo.flaky", [2])
    ended = gate.run(flaky)
    assert (ended.state, ended.result, ended.attempt) == (State.SUCCEEDED, 3, 3)
    assert gate.run(flaky.id) == ended


def test_a_failure_is_raised_with_the_traceback(gate: Gate) -> None:
    with pytest.raises(TaskFailed, match="boom") as caught:
        gate.result(gate.client.submit("demo.fail", ["boom"]))
    [note] = caught.value.__notes__
    assert "demo.py" in note


def test_arguments_are_checked_as_by_any_server(gate: Gate) -> None:
    with pytest.raises(ArgumentsInvalid):
        gate.client.submit("demo.add", ["no number", 1])


def test_what_was_not_started_never_runs_once_aborted(gate: Gate) -> None:
    waiting = gate.client.submit("demo.add", [1, 2])
    waiting.abort()
    assert gate.run_due() == []
    with pytest.raises(TaskAborted):
        gate.result(waiting)


def test_a_running_task_can_be_aborted(gate: Gate) -> None:
    running = gate.client.submit("kit.endless")
    with gate.running(running):
        assert running.get().state is State.RUNNING
        running.abort("enough")
    assert running.get().state is State.ABORTED


def test_celerys_ways_are_recorded(gate: Gate) -> None:
    added: Any = pair.apply_async((1,), countdown=60)
    assert gate.client.task(added.id).get().state is State.SCHEDULED
    assert gate.run(added).result == [1, None]
    assert added.get(timeout=10) == [1, None]


def test_canvases_run(gate: Gate) -> None:
    body: Any = chord(group(pair.si(1), pair.si(2)))(pair.s("and"))
    gate.run_all()
    assert sorted(body.get(timeout=10)[0]) == [[1, None], [2, None]]


def test_the_clock_goes_forward_and_nothing_else(gate: Gate) -> None:
    before = gate.now
    delayed = gate.client.submit("demo.add", [1, 2], delay=7200)
    gate.travel(timedelta(hours=1))
    assert gate.run_due() == []
    gate.travel(3601)
    assert [one.id for one in gate.run_due()] == [delayed.id]
    assert gate.now - before > timedelta(hours=2)
    assert delayed.get().finish_time > datetime.now(UTC) + timedelta(hours=1)  # type: ignore[operator]
    with pytest.raises(ValueError, match="forward only"):
        gate.travel(-1)


def test_tasks_of_higher_priority_run_first(gate: Gate) -> None:
    low = gate.client.submit("demo.add", [1, 2], priority=1)
    high = gate.client.submit("demo.add", [1, 2], priority=9)
    assert [one.id for one in gate.run_due()] == [high.id, low.id]


def test_what_has_no_end_is_not_run_for_ever(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskgate.testing.gate.MOST_ATTEMPTS", 5)
    gate.client.submit("kit.again")
    with pytest.raises(NotRunnable, match="5 attempts"):
        gate.run_due()


def test_a_paused_task_says_why_it_is_not_run(gate: Gate) -> None:
    paused = gate.client.submit("demo.add", [1, 2])
    gate.client.pause(task_type="demo.add")
    with pytest.raises(NotRunnable, match="paused"):
        gate.run(paused)
    gate.client.resume(task_type="demo.add")
    assert gate.result(paused) == 3


def test_submissions_are_compared_by_parameters(gate: Gate) -> None:
    gate.client.submit("kit.pair", [1], {"right": [2, 3]})
    for fits in ((1, (2, 3)), (1, ANY), ()):
        gate.submitted("kit.pair", *fits)
    gate.submitted("kit.pair", left=1, right=[2, 3])
    gate.not_submitted("kit.pair", 1)
    gate.not_submitted("kit.total")
    with pytest.raises(AssertionError, match=r"kit\.pair\(1, right=\[2, 3\]\)  QUEUED"):
        gate.not_submitted("kit.pair")


def test_what_does_not_fit_is_shown(gate: Gate) -> None:
    with pytest.raises(AssertionError, match="nothing was"):
        gate.submitted("kit.pair")
    for _ in range(2):
        gate.client.submit("kit.pair", [1])
    with pytest.raises(AssertionError, match=r"2 tasks fit kit\.pair\(…\)"):
        gate.submitted("kit.pair")
    with pytest.raises(AssertionError, match=r"did you mean kit\.pair\?"):
        gate.submitted("kit.pairs", 1)


def test_nothing_of_it_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://nowhere.invalid")
    monkeypatch.setenv("TASKGATE_TOKENS_FILE", "/nowhere")
    app, environment = get_current_app(), dict(os.environ)
    for number in range(2):
        with Gate(tmp_path / str(number)) as gate:
            pair.delay(number)
            assert gate.submitted("kit.pair").args == [number]
    assert get_current_app() is app
    assert dict(os.environ) == environment


def test_an_app_that_is_not_managed_is_refused(tmp_path: Path) -> None:
    plain = Celery("plain", set_as_current=False)
    with pytest.raises(AppNotManaged, match="manage"), Gate(tmp_path, plain):
        pass
