"""``logs``: what a task has logged."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

Taskgate = Callable[..., subprocess.CompletedProcess[str]]


def test_logs_of_all_attempts(taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.flaky", "2", "--quiet").stdout.strip()
    followed = taskgate("logs", task_id, "--follow")
    assert followed.returncode == 0, followed.stderr
    first, heading, second = followed.stdout.splitlines()
    assert first.endswith("WARNING demo: failing on purpose, 1 more to come")
    assert heading == "attempt 2:"
    assert second.endswith("failing on purpose, 0 more to come")
    lines = [json.loads(line) for line in taskgate("logs", task_id, "--json").stdout.splitlines()]
    assert [(one["attempt"], one["number"]) for one in lines] == [(1, 1), (2, 1)]


def test_logs_of_nobody(taskgate: Taskgate) -> None:
    assert taskgate("logs", "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f").returncode == 4
