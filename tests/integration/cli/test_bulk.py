"""``bulk`` and ``operations``: many tasks at once, first as a dry run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

Taskgate = Callable[..., subprocess.CompletedProcess[str]]


def test_tasks_are_aborted_together(taskgate: Taskgate) -> None:
    for _ in range(3):
        words = ("demo.add", "1", "2", "--delay", "1h", "--label", "of=bulk")
        assert taskgate("submit", *words).returncode == 0
    assert taskgate("count", "--label", "of=bulk").stdout == "3\n"
    assert "SCHEDULED" in taskgate("count", "--label", "of=bulk", "--by", "state").stdout
    dry = taskgate("bulk", "abort", "--label", "of=bulk", "--dry-run")
    assert dry.stdout.splitlines()[0] == "3 tasks", dry.stderr
    answer = taskgate("bulk", "abort", "--label", "of=bulk", "--reason", "a test", "--wait")
    assert "3/3" in answer.stdout, answer.stderr
    assert "ABORTED=3" in answer.stdout
    [one] = json.loads(taskgate("operations", "--json").stdout)["operations"]
    assert (one["kind"], one["outcomes"], one["reason"]) == ("ABORT", {"ABORTED": 3}, "a test")
    assert one["id"] in taskgate("operations").stdout
    stopped = json.loads(taskgate("operations", one["id"], "--stop", "--json").stdout)
    assert stopped["operations"] == [one]
    deleted = taskgate("bulk", "delete", "--label", "of=bulk", "--wait")
    assert "DELETED=3" in deleted.stdout, deleted.stderr
    assert taskgate("bulk", "retry", "unknown").returncode == 4
