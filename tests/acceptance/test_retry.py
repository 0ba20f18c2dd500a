"""Retry runs a final task again, as a new one, and remembers where it came from."""

from __future__ import annotations

import pytest

from support.deployment import Deployment
from taskgate.client import Client, State, TaskNotFinal


def test_a_failed_task_is_retried_with_the_same_arguments(client: Client) -> None:
    first = client.submit("demo.fail", kwargs={"message": "żółć"}, labels={"team": "a"})
    failed = first.wait(30)
    assert failed.state is State.FAILED
    assert failed.error is not None
    assert failed.error.message == "żółć"
    second = first.retry()
    again = second.wait(30)
    assert second.id != first.id
    assert again.state is State.FAILED
    assert again.kwargs == {"message": "żółć"}
    assert (again.retry_of, again.root_id) == (first.id, first.id)
    assert (failed.retry_of, failed.root_id) == (None, first.id)
    third = second.retry().wait(30)
    assert (third.retry_of, third.root_id) == (second.id, first.id)
    assert first.get() == failed


def test_a_task_that_never_started_is_retried_with_its_arguments(
    deployment: Deployment, client: Client
) -> None:
    value = {"big": 2**63, "none": None}
    first = client.submit("journal.run", kwargs={"value": value}, delay=3600)
    assert first.abort().state is State.ABORTED
    second = first.retry()
    task = second.wait(30)
    assert (task.state, task.result) == (State.SUCCEEDED, value)
    assert (task.retry_of, task.root_id) == (first.id, first.id)
    assert deployment.journal.of(first.id) == []
    assert deployment.journal.words(second.id) == ["start", "end"]


def test_a_retry_can_replace_the_arguments(client: Client) -> None:
    first = client.submit("journal.run", kwargs={"value": 1})
    assert first.result(30) == 1
    assert first.retry(kwargs={"value": [2**60]}).result(30) == [2**60]
    without = first.retry(args=[]).wait(30)
    assert (without.args, without.kwargs, without.result) == ([], {}, None)
    assert first.retry().result(30) == 1


def test_a_retry_repeated_with_its_request_id_is_one_task(
    deployment: Deployment, client: Client
) -> None:
    first = client.submit("journal.run", kwargs={"value": 1})
    assert first.result(30) == 1
    retries = [first.retry(request_id="retry-once") for _ in range(3)]
    assert len({retry.id for retry in retries}) == 1
    assert retries[0].result(30) == 1
    assert deployment.journal.count("start")[retries[0].id] == 1


def test_a_task_that_is_not_final_is_not_retried(client: Client) -> None:
    waiting = client.submit("journal.run", delay=3600)
    with pytest.raises(TaskNotFinal):
        waiting.retry()
    waiting.abort()
