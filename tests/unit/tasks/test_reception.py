from __future__ import annotations

from typing import Any

import pytest

from taskgate.tasks.worker.reception import problem_with


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "a", "id": "1"},
        {"task": "a", "id": "1", "taskgate_attempt": 2},
        {"task": "a", "id": "1", "retries": 3, "timelimit": [None, 0.5], "priority": 9},
        {"task": "a", "id": "1", "timelimit": None, "stamped_headers": ["x"], "stamps": {"x": 1}},
        {"hello": "world"},
        {},
        None,
    ],
)
def test_task_messages_and_messages_that_are_none(headers: Any) -> None:
    assert problem_with(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "a"},
        {"task": "a", "id": None},
        {"task": "a", "id": ""},
        {"task": "a", "id": 7},
        {"task": "a", "id": "x" * 256},
        {"task": ["a"], "id": "1"},
        {"task": "a", "id": "1", "taskgate_attempt": 0},
        {"task": "a", "id": "1", "taskgate_attempt": "2"},
        {"task": "a", "id": "1", "retries": "2"},
        {"task": "a", "id": "1", "retries": True},
        {"task": "a", "id": "1", "timelimit": [1]},
        {"task": "a", "id": "1", "timelimit": 1},
        {"task": "a", "id": "1", "timelimit": [-1, None]},
        {"task": "a", "id": "1", "timelimit": [float("nan"), None]},
        {"task": "a", "id": "1", "timelimit": [2**70, None]},
        {"task": "a", "id": "1", "priority": "9"},
        {"task": "a", "id": "1", "stamped_headers": 7},
        {"task": "a", "id": "1", "stamped_headers": [[]]},
        {"task": "a", "id": "1", "stamps": ["x"]},
    ],
    ids=str,
)
def test_malformed_task_messages(headers: Any) -> None:
    assert problem_with(headers) is not None
