from __future__ import annotations

from typing import Any

import pytest

from taskgate.tasks.worker.reception import problem_with


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "a", "id": "1"},
        {"task": "a", "id": "1", "taskgate_attempt": 2},
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
    ],
    ids=str,
)
def test_malformed_task_messages(headers: Any) -> None:
    assert problem_with(headers) is not None
