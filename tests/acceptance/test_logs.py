"""What tasks log: kept with their attempts, followed while they run; what log lines look like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from support.deployment import Deployment
from support.waiting import wait_until
from taskgate.client import Client, LogLine, State, TaskNotFound
from taskgate.store import logs

SECONDS = 60
POOLS = ("prefork", "threads", "solo")
ENVIRONMENT = {
    "TASKGATE_TASKS": "support.logging_tasks",
    "TASKGATE_LOG_FORMAT": "json",
    "TASKGATE_TASK_LOG_BYTES": "4000",
}


@pytest.fixture(scope="module", params=POOLS)
def queue(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[str]:
    """The queue of a worker with tasks that log."""
    name = f"logging-{request.param}"
    options = [f"--queues={name}", "--concurrency=1", f"--pool={request.param}"]
    with deployment.start_worker(*options, env=ENVIRONMENT):
        yield name


def lines(client: Client, task_type: str, *args: Any, queue: str) -> list[LogLine]:
    task = client.submit(task_type, args, queue=queue)
    task.wait(SECONDS)
    return list(task.logs())


def test_all_that_a_task_says_is_kept(client: Client, queue: str) -> None:
    found = lines(client, "logging.all_ways", "blue", queue=queue)
    *others, last = [(one.level, one.logger, one.message) for one in found]
    assert others == [
        ("WARNING", "shop.orders", "blue: an order"),
        ("WARNING", "shop.tasks", "blue: a task"),
        ("WARNING", "celery.redirected", "blue: printed"),
        ("WARNING", "celery.redirected", "blue: to standard error"),
    ]
    assert last[:2] == ("ERROR", "shop.orders")
    assert last[2].startswith("blue: an exception\nTraceback")
    assert last[2].endswith("literal for int() with base 10: 'blue'")
    assert [one.number for one in found] == [1, 2, 3, 4, 5]
    assert {one.attempt for one in found} == {1}
    assert found == sorted(found, key=lambda one: one.time)


def test_each_attempt_has_its_own(client: Client, queue: str) -> None:
    found = lines(client, "logging.fails", queue=queue)
    assert [(one.attempt, one.number, one.message) for one in found] == [
        (1, 1, "attempt 1"),
        (2, 1, "attempt 2"),
    ]


def test_a_running_task_is_followed(client: Client, queue: str, tmp_path: Path) -> None:
    task = client.submit("logging.until", [str(tmp_path / "go")], queue=queue)
    followed = task.logs(follow=True)
    assert [one.message for one in islice(followed, 1)] == ["waiting"]
    assert task.get().state is State.RUNNING
    (tmp_path / "go").touch()
    rest = list(followed)
    assert [one.message for one in rest] == ["done"]
    assert task.get().state is State.SUCCEEDED


def test_the_newest_are_kept(client: Client, queue: str) -> None:
    found = lines(client, "logging.many", 100, 400, queue=queue)
    assert [one.number for one in found] == list(range(92, 101))
    assert found[-1].message.startswith("99 x")
    [long] = lines(client, "logging.many", 1, 10_000, queue=queue)
    assert 4000 < len(long.message) < 4100  # a mark says that it was cut


def test_who_logs_nothing_has_none(deployment: Deployment, client: Client, queue: str) -> None:
    task = client.submit("demo.add", [1, 2], queue=queue)
    task.wait(SECONDS)
    assert list(task.logs(follow=True)) == []
    with deployment.database.read() as tx:
        assert logs.read(tx, task.id, 1, 10) == []


def test_nothing_is_kept_where_it_is_switched_off(deployment: Deployment, client: Client) -> None:
    environment = {**ENVIRONMENT, "TASKGATE_TASK_LOG_BYTES": "0"}
    with deployment.start_worker("--queues=silent", "--concurrency=1", env=environment):
        assert lines(client, "logging.all_ways", "blue", queue="silent") == []


def test_of_an_unknown_task(client: Client) -> None:
    with pytest.raises(TaskNotFound):
        list(client.task("0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f").logs())


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log that are JSON: what Celery prints when it starts is not."""
    texts = path.read_text().splitlines()
    return [json.loads(text) for text in texts if text.startswith('{"time"')]


def test_a_workers_lines_as_json(deployment: Deployment, client: Client) -> None:
    options = ["--queues=json", "--concurrency=1", "--loglevel=info"]
    with deployment.start_worker(*options, env=ENVIRONMENT) as worker:
        task = client.submit("logging.all_ways", ["blue"], queue="json")
        task.wait(SECONDS)

        def about_it() -> list[dict[str, Any]]:
            return [one for one in json_lines(worker.log) if one.get("task_id") == task.id]

        wait_until(lambda: any("succeeded" in one["message"] for one in about_it()), 30, "the end")
        by_message = {one["message"]: one for one in about_it()}
        for message in ("blue: an order", "blue: a task", "blue: printed"):
            assert by_message[message]["attempt"] == 1
            assert by_message[message]["level"] == "WARNING"
        assert "ValueError: invalid literal" in by_message["blue: an exception"]["exception"]
        rest = [t for t in worker.log.read_text().splitlines() if not t.startswith('{"time"')]
        assert not [text for text in rest if "blue" in text]


def test_a_workers_lines_as_text(deployment: Deployment, client: Client) -> None:
    environment = {**ENVIRONMENT, "TASKGATE_LOG_FORMAT": "text"}
    with deployment.start_worker("--queues=text", "--concurrency=1", env=environment) as worker:
        task = client.submit("logging.all_ways", ["blue"], queue="text")
        task.wait(SECONDS)
        text = worker.log.read_text().splitlines()
    [order] = [line for line in text if line.endswith(f"[task_id={task.id} attempt=1]")][:1]
    assert "blue: an order" in order
    [celerys] = [line for line in text if "blue: a task" in line]
    assert celerys.count(task.id) == 1  # Celery says it already
