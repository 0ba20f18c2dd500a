"""Messages made from a template are those that Celery makes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskgate.store.lifecycle import State
from taskgate.store.record import RECORDED, Task, new_task_id
from taskgate.tasks.app import create_app
from taskgate.tasks.messages import Messages, message_of
from taskgate.tasks.settings import Settings


def task(*args: Any, kwargs: dict[str, Any] | None = None, **values: Any) -> Task:
    task_id = new_task_id()
    own: dict[str, Any] = {
        "id": task_id,
        "task_type": "demo.add",
        "state": State.QUEUED,
        "version": 1,
        "queue": "celery",
        "priority": 4,
        "arguments": json.dumps({"args": args, "kwargs": kwargs or {}}),
        "labels": {},
        "attempt": 1,
        "retries": 0,
        "worker_losses": 0,
        "created_at": datetime.now(UTC),
        "root_id": task_id,
        "submitted_by": "",
        **values,
    }
    every: dict[str, Any] = {name: own.get(name) for name in RECORDED}
    return Task(**every)


TASKS = [
    task(1, 2.5, "text", None, True),
    task([1, {"a": [[[[]]]]}]),
    task(),
    task(kwargs={"x": "ü", "y": {}}),
    task(1, run_timeout=timedelta(seconds=1.5), task_type="demo.other"),
    task(1, attempt=3, retries=2),
    task("x" * 3_000),
    task(1, message='{"group": "g", "callbacks": [], "headers": {"trace": "1"}}'),
]


@pytest.mark.parametrize("given", TASKS, ids=range(len(TASKS)))
def test_a_message_from_the_template_is_celerys(given: Task) -> None:
    app = create_app(Settings())
    messages = Messages(app)
    messages.of(task("before", task_type="demo.before", run_timeout=timedelta(seconds=9)))
    made, celerys = messages.of(given), message_of(app, given)
    assert made.headers == celerys.headers
    assert made.properties == celerys.properties
    assert json.dumps(made.body) == json.dumps(celerys.body)
