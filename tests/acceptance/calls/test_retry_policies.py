"""A submission's retry policy overrides the task type's own; the record says what happened."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from support.deployment import Deployment
from support.requests import duration, submit
from support.serving import SECONDS, refused
from taskgate.v1 import task_pb2, task_service_pb2

FAILED = task_pb2.TASK_STATE_FAILED
SUCCEEDED = task_pb2.TASK_STATE_SUCCEEDED
SLACK = 20.0
"""Seconds by which an attempt may start late on a busy machine."""

WRITING = 3.0
"""Seconds that may lie between two statements of one transaction."""


def run(deployment: Deployment, *args: Any, **policy: Any) -> task_pb2.Task:
    """Run `typed.breaks`, whose own backoff is half a minute, with a policy."""
    request = submit("typed.breaks", *args, retry_policy=task_pb2.RetryPolicy(**policy))
    stub = deployment.stub()
    return deployment.wait_final(stub, stub.Submit(request, timeout=SECONDS).task.id, 90)


def waits(task: task_pb2.Task) -> list[float]:
    """The seconds between one attempt's end and the next one's start, as recorded."""
    return [
        (after.start_time.ToDatetime() - before.end_time.ToDatetime()).total_seconds()
        for before, after in pairwise(task.attempts)
    ]


def last_wait(task: task_pb2.Task) -> float:
    """The seconds from the end of the last attempt but one to when the last one was due."""
    due, ended = task.schedule_time.ToDatetime(), task.attempts[-2].end_time.ToDatetime()
    return (due - ended).total_seconds()


def test_each_wait_is_longer_than_the_one_before_up_to_the_longest(
    deployment: Deployment,
) -> None:
    task = run(
        deployment,
        4,
        max_attempts=5,
        initial_backoff=duration(0.3),
        backoff_multiplier=2,
        max_backoff=duration(0.7),
    )
    assert (task.state, task.attempt, task.result.number_value) == (SUCCEEDED, 5, 5)
    assert 0.69 <= last_wait(task) <= 0.7 + WRITING
    for wait, least in zip(waits(task), [0.3, 0.6, 0.7, 0.7], strict=True):
        assert least - 0.01 <= wait <= least + SLACK


def test_the_history_has_each_attempt(deployment: Deployment) -> None:
    task = run(deployment, 2, max_attempts=3, initial_backoff=duration(0.1))
    assert [attempt.number for attempt in task.attempts] == [1, 2, 3]
    assert [attempt.outcome for attempt in task.attempts] == [
        task_pb2.ATTEMPT_OUTCOME_FAILED,
        task_pb2.ATTEMPT_OUTCOME_FAILED,
        task_pb2.ATTEMPT_OUTCOME_SUCCEEDED,
    ]
    assert {attempt.worker for attempt in task.attempts} == {task.worker}
    assert [attempt.error.message for attempt in task.attempts] == ["time 1", "time 2", ""]
    assert "Traceback" in task.attempts[0].error.traceback
    assert task.attempts[0].error.type == "support.typed_tasks.Broken"
    assert not task.HasField("error")
    for before, after in pairwise(task.attempts):
        times = before.start_time, before.end_time, after.start_time
        assert sorted(times, key=lambda time: time.ToNanoseconds()) == list(times)


def test_attempts_end_with_the_last_one_allowed(deployment: Deployment) -> None:
    task = run(deployment, 9, max_attempts=2, initial_backoff=duration(0.1))
    assert (task.state, task.attempt, task.max_attempts) == (FAILED, 2, 2)
    assert task.error.message == "time 2"
    assert len(task.attempts) == 2


def test_one_attempt_is_no_retry(deployment: Deployment) -> None:
    task = run(deployment, 1, max_attempts=1)
    assert (task.state, task.attempt) == (FAILED, 1)


def test_unset_attempts_are_the_task_types_own(deployment: Deployment) -> None:
    task = run(deployment, 3, initial_backoff=duration(0), max_backoff=duration(0))
    assert (task.state, task.attempt, task.max_attempts) == (SUCCEEDED, 4, 10)


def test_jitter_draws_from_nothing_to_the_full_wait(deployment: Deployment) -> None:
    policy = task_pb2.RetryPolicy(
        max_attempts=2, initial_backoff=duration(2), max_backoff=duration(2), jitter=True
    )
    stub = deployment.stub()
    request = submit("typed.breaks", 9, retry_policy=policy)
    ids = [stub.Submit(request, timeout=SECONDS).task.id for _ in range(12)]
    due = [last_wait(deployment.wait_final(stub, task_id)) for task_id in ids]
    assert all(-0.01 <= wait <= 2 + WRITING for wait in due)
    assert max(due) - min(due) > 0.1, "drawn at random"


@pytest.mark.parametrize(
    "name",
    [
        "BrokenForGood",
        "support.typed_tasks.BrokenForGood",
        "Broken",
        "Exception",
        "builtins.Exception",
    ],
)
def test_errors_that_are_not_retried(deployment: Deployment, name: str) -> None:
    task = run(deployment, 1, True, max_attempts=5, non_retryable_errors=["KeyError", name])
    assert (task.state, task.attempt) == (FAILED, 1)
    assert task.error.type == "support.typed_tasks.BrokenForGood"


def test_other_errors_are(deployment: Deployment) -> None:
    names = ["BrokenForGood", "ValueError", "other.module.Broken"]
    task = run(deployment, 1, initial_backoff=duration(0.1), non_retryable_errors=names)
    assert (task.state, task.attempt) == (SUCCEEDED, 2)
    assert list(task.retry_policy.non_retryable_errors) == names


def test_a_task_without_retries_of_its_own_is_retried_by_its_policy(
    deployment: Deployment,
) -> None:
    policy = task_pb2.RetryPolicy(max_attempts=3, initial_backoff=duration(0.05))
    stub = deployment.stub()
    request = submit("demo.fail", "no", retry_policy=policy)
    task = deployment.wait_final(stub, stub.Submit(request, timeout=SECONDS).task.id)
    assert (task.state, task.attempt, len(task.attempts)) == (FAILED, 3, 3)


def test_a_retry_keeps_the_policy(deployment: Deployment) -> None:
    first = run(deployment, 9, max_attempts=2, initial_backoff=duration(0.05))
    stub = deployment.stub()
    again = stub.Retry(task_service_pb2.RetryRequest(id=first.id), timeout=SECONDS).task
    assert again.retry_policy == first.retry_policy
    assert deployment.wait_final(stub, again.id).attempt == 2


POLICIES: list[tuple[dict[str, Any], str]] = [
    ({"max_attempts": -1}, "retry_policy.max_attempts"),
    ({"max_attempts": 1_001}, "retry_policy.max_attempts"),
    ({"initial_backoff": duration(-1)}, "retry_policy.initial_backoff"),
    ({"max_backoff": duration(-0.5)}, "retry_policy.max_backoff"),
    ({"backoff_multiplier": 0.5}, "retry_policy.backoff_multiplier"),
    ({"backoff_multiplier": float("nan")}, "retry_policy.backoff_multiplier"),
    ({"backoff_multiplier": float("inf")}, "retry_policy.backoff_multiplier"),
    ({"non_retryable_errors": ["Value Error"]}, "retry_policy.non_retryable_errors[0]"),
    ({"non_retryable_errors": ["E"] * 33}, "retry_policy.non_retryable_errors"),
]


@pytest.mark.parametrize(("values", "field"), POLICIES)
def test_a_wrong_policy_is_refused(
    deployment: Deployment, values: dict[str, Any], field: str
) -> None:
    request = submit("demo.add", 1, 2, retry_policy=task_pb2.RetryPolicy(**values))
    refusal = refused(deployment.stub().Submit, request)
    assert (refusal.reason, list(refusal.violations)) == ("FIELD_INVALID", [field])
