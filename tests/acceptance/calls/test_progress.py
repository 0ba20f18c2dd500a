"""Progress as Celery's users report it, told to who watches, and written at a bounded rate."""

from __future__ import annotations

from typing import Any

import pytest

from support.deployment import Deployment
from support.requests import get, submit, submit_text, watch
from support.serving import SECONDS
from taskgate.tasks.progress import PERIOD_SECONDS
from taskgate.v1 import task_pb2

Progress = task_pb2.Progress

REPORTS: list[tuple[str, Any, Progress]] = [
    ("PROGRESS", {"current": 3, "total": 10, "message": "żółć"},
     Progress(current=3, total=10, message="żółć")),
    ("PROGRESS", {"current": 0.5, "total": None, "message": ""}, Progress(current=0.5)),
    ("PROGRESS", {"current": 7}, Progress(current=7)),
    ("PROGRESS", {"total": 0}, Progress(total=0)),
    ("PROGRESS", {"done": 3, "of": 10}, Progress()),
    ("PROGRESS", {"current": "3", "total": True, "message": 5}, Progress()),
    ("PROGRESS", {"current": 10**400, "total": 2**60}, Progress(total=2.0**60)),
    ("PROGRESS", ["half", "done"], Progress()),
    ("PROGRESS", None, Progress()),
    ("DOWNLOADING", {"current": 1, "total": 2},
     Progress(current=1, total=2, message="DOWNLOADING")),
    ("DOWNLOADING", "the file", Progress(message="DOWNLOADING")),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(REPORTS)))
def test_what_was_reported_last_stays_when_the_task_ends(
    deployment: Deployment, number: int
) -> None:
    state, meta, expected = REPORTS[number]
    metas = [{"current": 1}, meta]
    stub = deployment.stub()
    task_id = stub.Submit(submit_text("typed.reports", metas, state), timeout=SECONDS).task.id
    task = stub.Get(get(task_id, wait=30), timeout=40).task
    assert task.state == task_pb2.TASK_STATE_SUCCEEDED, task.error.message
    assert task.progress == expected


def test_a_task_that_reports_nothing_has_no_progress(deployment: Deployment) -> None:
    stub = deployment.stub()
    task_id = stub.Submit(submit("typed.reports", []), timeout=SECONDS).task.id
    assert not deployment.wait_final(stub, task_id).HasField("progress")


def test_a_tight_loop_does_not_hammer_the_database(deployment: Deployment) -> None:
    stub = deployment.stub()
    task_id = stub.Submit(submit("typed.hammers", 2), timeout=SECONDS).task.id
    task = deployment.wait_final(stub, task_id)
    reports = task.result.number_value
    ran = (task.finish_time.ToDatetime() - task.start_time.ToDatetime()).total_seconds()
    others = 3  # submitted, claimed, succeeded
    assert task.version <= others + ran / PERIOD_SECONDS + 2
    assert reports > 100 * task.version
    assert task.progress.current == reports


def test_watchers_are_told_of_progress_as_it_comes(deployment: Deployment) -> None:
    stub = deployment.stub()
    task_id = stub.Submit(submit("demo.countdown", 3), timeout=SECONDS).task.id
    told = [response.task for response in stub.Watch(watch({task_id: 0}), timeout=60)]
    running = [task.progress for task in told if task.state == task_pb2.TASK_STATE_RUNNING]
    steps = [progress.current for progress in running]
    assert len(set(steps)) >= 2
    assert steps == sorted(steps)
    assert {progress.total for progress in running if progress.message} == {3}
    assert told[-1].state == task_pb2.TASK_STATE_SUCCEEDED
