"""The client against a real server and a real worker."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from taskgate import client as taskgate
from taskgate.client import Client, State

SECONDS = 60


def test_a_task_is_submitted_and_its_result_comes_back(client: Client) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    handle = client.submit("demo.add", [2], {"y": 3}, labels={"team": "web"}, priority=7)
    assert handle.latest is not None
    assert handle.latest.state is State.QUEUED
    assert handle.result(SECONDS) == 5
    task = handle.get()
    assert (task.args, task.kwargs) == ([2], {"y": 3})
    assert (task.labels, task.priority, task.queue) == ({"team": "web"}, 7, "celery")
    assert task.root_id == task.id == handle.id
    assert task.create_time is not None
    assert task.start_time is not None
    assert task.finish_time is not None
    assert before < task.create_time <= task.start_time <= task.finish_time
    assert [(a.number, a.outcome) for a in task.attempts] == [(1, "SUCCEEDED")]
    assert task.worker


@pytest.mark.parametrize(
    "value",
    [
        None,
        2**53 + 1,
        -(10**30),
        0.1,
        1e300,
        "grüße 😀 \x00 \u2028",
        "",
        [],
        {},
        [[[[{"a": {"b": [None, True, {"": ""}]}}]]]],
        {"big": [2**64, {"deep": 2**53 + 1}]},
    ],
)
def test_values_come_back_exactly(client: Client, value: Any) -> None:
    handle = client.submit("demo.echo", [value])
    returned = handle.result(SECONDS)
    assert returned == value
    assert type(returned) is type(value)
    task = client.task(handle.id).get()
    assert (task.args, task.kwargs) == ([value], {})


def test_deep_nesting_comes_back(client: Client) -> None:
    value: list[Any] = []
    for _ in range(150):
        value = [value]
    assert client.submit("demo.echo", [value]).result(SECONDS) == value


def test_a_running_task_is_watched_and_aborted(client: Client) -> None:
    handle = client.submit("demo.countdown", [SECONDS])
    seen: list[taskgate.Task] = []
    for task in handle.watch(SECONDS):
        seen.append(task)
        if task.progress is not None and not task.is_final and task.abort is None:
            assert handle.abort("seen enough").state is State.ABORTING
    assert [task.version for task in seen] == sorted({task.version for task in seen})
    assert seen[-1].state is State.ABORTED
    assert seen[-1].abort is not None
    assert seen[-1].abort.reason == "seen enough"
    assert any(task.progress and task.progress.total == SECONDS for task in seen)
    with pytest.raises(taskgate.TaskAborted, match="is ABORTED: seen enough"):
        handle.result(SECONDS)


def test_a_task_that_waits_is_aborted_at_once(client: Client) -> None:
    handle = client.submit("demo.add", [1, 1], delay=3600)
    assert handle.latest is not None
    assert handle.latest.state is State.SCHEDULED
    assert handle.abort().state is State.ABORTED


def test_a_failure_says_why_and_the_task_can_be_retried(client: Client) -> None:
    handle = client.submit("demo.fail", ["boom"])
    with pytest.raises(taskgate.TaskFailed, match="RuntimeError: boom") as raised:
        handle.result(SECONDS)
    error = raised.value.task.error
    assert error is not None
    assert (error.reason, error.type, error.message) == (
        "EXCEPTION",
        "builtins.RuntimeError",
        "boom",
    )
    assert "raise RuntimeError" in error.traceback

    again = handle.retry()
    assert again.id != handle.id
    assert again.latest is not None
    assert (again.latest.retry_of, again.latest.root_id) == (handle.id, handle.id)
    assert again.wait(SECONDS).args == ["boom"]
    other = handle.retry(kwargs={"message": "bang"}).wait(SECONDS)
    assert (other.args, other.kwargs) == ([], {"message": "bang"})


def test_a_request_id_stands_for_one_task(client: Client) -> None:
    request_id = str(uuid.uuid4())
    first = client.submit("demo.add", [1, 2], request_id=request_id)
    again = client.submit("demo.add", [1, 2], request_id=request_id)
    assert again.id == first.id
    with pytest.raises(taskgate.RequestIdReused) as raised:
        client.submit("demo.add", [1, 3], request_id=request_id)
    assert raised.value.code is grpc.StatusCode.ALREADY_EXISTS
    assert first.id in raised.value.message


def test_errors_are_typed(client: Client) -> None:
    with pytest.raises(taskgate.TaskNotFound) as not_found:
        client.task(str(uuid.uuid4())).get()
    assert not_found.value.reason == "TASK_NOT_FOUND"

    with pytest.raises(taskgate.InvalidRequest) as malformed:
        client.task("").get()
    assert [violation.field for violation in malformed.value.violations] == ["id"]

    with pytest.raises(taskgate.TaskTypeUnknown, match=r"demo\.add"):
        client.submit("demo.ad")
    with pytest.raises(taskgate.ArgumentsInvalid) as invalid:
        client.submit("demo.add", [1])
    assert invalid.value.violations

    running = client.submit("demo.countdown", [SECONDS])
    with pytest.raises(taskgate.TaskNotFinal):
        running.retry()
    running.abort()
    running.wait(SECONDS)
    succeeded = client.submit("demo.add", [1, 1])
    succeeded.wait(SECONDS)
    with pytest.raises(taskgate.TaskAlreadyFinal):
        succeeded.abort()
