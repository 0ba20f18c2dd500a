"""An abort before the claim means no run; one while the task runs is the task's to see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.deployment import Deployment
from support.engines import Engines
from support.waiting import wait_until
from taskgate.client import Client, RetryPolicy, State, Task, TaskAlreadyFinal, TaskHandle

SOON = timedelta(seconds=5)
"""A second, on a machine that is busy with other things."""


def running(handle: TaskHandle) -> Task:
    """Wait until a worker has the task."""
    wait_until(lambda: handle.get().state is State.RUNNING, 30, "the task runs")
    assert handle.latest is not None
    return handle.latest


def test_a_task_aborted_before_its_claim_never_runs(
    deployment: Deployment, engines: Engines, client: Client
) -> None:
    victim = client.submit("journal.run", queue="idle-1")
    engines.broker.wait_for_messages(victim.id)
    assert victim.abort("changed my mind").state is State.ABORTED
    after = client.submit("journal.run", queue="idle-1")
    with deployment.start_worker("--queues=idle-1", "--concurrency=1"):
        assert after.wait(60).state is State.SUCCEEDED  # so the victim's message was taken, too
    assert not engines.broker.has_message(victim.id)
    assert deployment.journal.of(victim.id) == []
    task = victim.get()
    assert task.state is State.ABORTED
    assert (task.start_time, task.attempts) == (None, ())
    assert task.abort is not None
    assert task.abort.reason == "changed my mind"


def test_a_scheduled_task_that_is_aborted_never_runs(
    deployment: Deployment, client: Client
) -> None:
    victim = client.submit("journal.run", delay=2)
    assert victim.abort().state is State.ABORTED
    later = client.submit("journal.run", delay=2)
    assert later.wait(30).state is State.SUCCEEDED
    assert deployment.journal.of(victim.id) == []
    assert victim.get().state is State.ABORTED


def test_a_task_that_looks_ends_aborted_within_a_second(client: Client) -> None:
    countdown = client.submit("demo.countdown", [60])
    wait_until(lambda: countdown.get().progress is not None, 30, "it reports")
    assert countdown.abort("enough").state is State.ABORTING
    task = countdown.wait(30)
    assert task.state is State.ABORTED
    assert task.abort is not None
    assert task.finish_time is not None
    assert task.abort.request_time is not None
    assert task.finish_time - task.abort.request_time < SOON
    assert task.progress is not None
    assert task.progress.current < 60
    [attempt] = task.attempts
    assert attempt.outcome == "ABORTED"


def test_a_task_that_never_looks_succeeds_with_the_abort_recorded(client: Client) -> None:
    stubborn = client.submit("demo.stubborn", [1.5])
    running(stubborn)
    assert stubborn.abort("hopeless").state is State.ABORTING
    task = stubborn.wait(30)
    assert task.state is State.SUCCEEDED
    assert task.result == 1.5
    assert task.abort is not None
    assert task.abort.reason == "hopeless"


def test_aborting_again_changes_nothing(client: Client) -> None:
    countdown = client.submit("demo.countdown", [60])
    running(countdown)
    first = countdown.abort("first").abort
    assert first is not None
    assert countdown.abort("second").abort == first
    assert countdown.wait(30).abort == first


def test_a_finished_task_cannot_be_aborted(client: Client) -> None:
    done = client.submit("demo.add", [2, 3])
    before = done.wait(30)
    with pytest.raises(TaskAlreadyFinal):
        done.abort()
    assert done.get() == before


def test_a_retry_that_waits_is_aborted_for_good(deployment: Deployment, client: Client) -> None:
    flaky = client.submit("journal.flaky", [3], retry_policy=RetryPolicy(initial_backoff=3))
    wait_until(lambda: flaky.get().state is State.RETRYING, 30, "the first attempt failed")
    assert flaky.abort().state is State.ABORTED
    started = deployment.journal.words(flaky.id)
    later = client.submit("journal.run", delay=3.5)  # its retry was due before
    assert later.wait(30).state is State.SUCCEEDED
    assert deployment.journal.words(flaky.id) == started
    assert flaky.get().state is State.ABORTED
