"""What waits survives a restart of everything, and runs once, on time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support.deployment import Deployment
from support.processes import Process
from support.waiting import wait_until
from taskgate.client import Client, RetryPolicy, State, Task, TaskHandle

DUE_SECONDS = 12
"""Long enough for two restarts on a busy machine."""

SOON = timedelta(seconds=5)
"""A moment, on a machine that is busy with other things."""


def start(deployment: Deployment) -> tuple[Process, Process]:
    return deployment.start_server(), deployment.start_worker("--concurrency=2")


def retrying(client: Client) -> TaskHandle:
    """A task whose first attempt has failed; the second one is due later."""
    policy = RetryPolicy(initial_backoff=DUE_SECONDS)
    task = client.submit("journal.flaky", [1], retry_policy=policy)
    wait_until(lambda: task.get().state is State.RETRYING, 30, "the first attempt failed")
    return task


def wait_until_due(task: TaskHandle) -> None:
    assert task.latest is not None
    due = task.latest.schedule_time
    assert due is not None
    wait_until(lambda: datetime.now(UTC) > due, what="it is due")


def check_started_on_time(task: Task, back_at: datetime) -> None:
    """It started when it was due, or as soon as everything was back."""
    assert task.state is State.SUCCEEDED
    assert task.schedule_time is not None
    assert task.start_time is not None
    assert task.schedule_time <= task.start_time < max(task.schedule_time, back_at) + SOON


@pytest.mark.timeout(180)
def test_what_waits_survives_restarts_and_runs_once_on_time(own_deployment: Deployment) -> None:
    deployment = own_deployment
    server, worker = start(deployment)
    client = deployment.client()
    overdue = client.submit("journal.run", delay=0.5)
    delayed = client.submit("journal.run", delay=DUE_SECONDS)
    retry = retrying(client)

    server.kill()
    worker.kill()
    wait_until_due(overdue)
    server, worker = start(deployment)
    assert overdue.wait(30).state is State.SUCCEEDED

    assert server.stop() == 0
    assert worker.stop() == 0
    start(deployment)
    back_at = datetime.now(UTC)

    for task in (delayed, retry):
        check_started_on_time(task.wait(60), back_at)
    assert deployment.journal.words(delayed.id) == ["start", "end"]
    assert deployment.journal.words(overdue.id) == ["start", "end"]
    assert deployment.journal.words(retry.id) == ["start", "start", "end"]
    assert [attempt.outcome for attempt in retry.get().attempts] == ["FAILED", "SUCCEEDED"]
