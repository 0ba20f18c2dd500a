"""Work on many tasks goes on whoever dies, and each task is worked on once."""

from __future__ import annotations

from collections import Counter

import pytest

from support.deployment import Deployment
from support.waiting import wait_until
from taskgate.client import Client, OperationState, State, Submission, TaskFilter, TaskHandle

MANY = 1_000


def submit_many(client: Client, number: int, label: str) -> list[TaskHandle]:
    outcomes = client.submit_many(
        [
            Submission("demo.add", [n, 1], queue="idle-1", labels={"of": label})
            for n in range(number)
        ]
    )
    return [one for one in outcomes if isinstance(one, TaskHandle)]


@pytest.mark.timeout(300)  # a thousand tasks are recorded, aborted, retried and run
def test_another_server_goes_on(own_deployment: Deployment) -> None:
    server = own_deployment.start_server()
    own_deployment.start_worker("--concurrency=1", "--queues=idle-2").stop()
    client = own_deployment.client()
    tasks = submit_many(client, MANY, "abort")
    assert len(tasks) == MANY
    chosen = TaskFilter(labels={"of": "abort"})
    begun = client.abort_tasks(chosen, reason="too many", rate=MANY / 4)
    operation = begun.operation
    assert operation is not None
    assert begun.total == MANY
    later = submit_many(client, 1, "abort")
    wait_until(lambda: client.operation(operation.id).done > 0, 30, "it has begun")
    server.kill()
    own_deployment.start_server()
    wait_until(
        lambda: client.operation(operation.id).state is OperationState.DONE, 60, "it is done"
    )
    done = client.operation(operation.id)
    assert (done.done, done.outcomes, done.failures) == (MANY, {"ABORTED": MANY}, ())
    states = Counter(task.state for task in client.list(labels={"of": "abort"}, page_size=1000))
    assert states == {State.ABORTED: MANY, State.QUEUED: 1}
    assert later[0].get().state is State.QUEUED
    later[0].abort()

    again = client.retry_tasks(TaskFilter(states=[State.ABORTED], labels={"of": "abort"}), rate=1e5)
    assert again.operation is not None
    *_, last = client.watch_operation(again.operation.id)
    assert last.outcomes == {"RETRIED": MANY + 1}
    assert _count(client, State.QUEUED) == _count(client, State.ABORTED) == MANY + 1
    own_deployment.start_worker("--concurrency=2", "--queues=idle-1")
    newest = next(iter(client.list(states=[State.QUEUED], labels={"of": "abort"})))
    assert client.task(newest.id).wait(120).state is State.SUCCEEDED


def _count(client: Client, state: State) -> int:
    return sum(1 for _ in client.list(states=[state], labels={"of": "abort"}, page_size=1000))
