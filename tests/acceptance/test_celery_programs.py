"""Programs that know Celery alone work on the same tasks, on the same record."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.deployment import TESTS, Deployment
from support.engines import Engines
from support.waiting import wait_until
from taskgate.client import Client, State

Program = Callable[..., Any]


@pytest.fixture
def program(deployment: Deployment, engines: Engines) -> Program:
    """Runs a command of `plain_celery.py`, a process of its own; returns its answer."""
    file = TESTS / "acceptance" / "plain_celery.py"
    urls = engines.broker.url, f"taskgate+{engines.database_url}"
    nothing_of_ours = dict.fromkeys(deployment.env, "")

    def run(*command: str) -> Any:
        return json.loads(deployment.run("python", str(file), *urls, *command, env=nothing_of_ours))

    return run


def test_celery_reads_the_result_of_a_submitted_task(client: Client, program: Program) -> None:
    task = client.submit("demo.echo", [{"big": 2**63}])
    assert program("get", task.id) == {"big": 2**63}


def test_celery_says_the_same_of_a_failed_task(client: Client, program: Program) -> None:
    task = client.submit("demo.fail", kwargs={"message": "on purpose"})
    assert task.wait(30).state is State.FAILED
    assert program("describe", task.id) == {
        "state": "FAILURE",
        "ready": True,
        "result": "RuntimeError('on purpose')",
        "name": "demo.fail",
        "args": [],
        "kwargs": {"message": "on purpose"},
        "has_traceback": True,
    }


def test_celery_aborts_a_waiting_task(client: Client, program: Program) -> None:
    task = client.submit("journal.run", delay=3600)
    assert program("abort", task.id) == {"state": "ABORTED", "is_aborted": True}
    assert task.get().state is State.ABORTED


def test_celery_aborts_a_running_task(client: Client, program: Program) -> None:
    task = client.submit("demo.countdown", [60])
    wait_until(lambda: task.get().state is State.RUNNING, 30, "the task runs")
    assert program("abort", task.id) == {"state": "ABORTED", "is_aborted": True}
    assert task.wait(30).state is State.ABORTED


def test_a_delayed_call_is_a_task_like_any_other(client: Client, program: Program) -> None:
    answer = program("delay")
    assert answer["result"] == 5
    task = client.task(answer["id"]).get()
    assert (task.state, task.task_type) == (State.SUCCEEDED, "demo.add")
    assert (task.args, task.kwargs, task.result) == ([2, 3], {}, 5)
    assert client.task(task.id).retry().result(30) == 5


def test_a_group_and_each_of_its_tasks(client: Client, program: Program) -> None:
    answer = program("in_group")
    assert answer["result"] == list(range(1, 11))
    assert [client.task(id_).get().result for id_ in answer["ids"]] == answer["result"]


def test_a_chord_gets_what_its_tasks_returned(client: Client, program: Program) -> None:
    answer = program("in_chord")
    assert answer["result"] == list(range(1, 11))
    task = client.task(answer["id"]).get()
    assert (task.state, task.args) == (State.SUCCEEDED, [list(range(1, 11))])


def test_a_chain_hands_results_on(program: Program) -> None:
    assert program("in_chain") == 6


def test_celery_raises_what_a_task_raised(program: Program) -> None:
    assert program("catch") == "RuntimeError('on purpose')"
