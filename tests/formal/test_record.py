"""The formal model of a task's life: its promises follow, and from no less than what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.alloy import run_commands

MODEL = Path(__file__).with_name("record.als")

SCOPE = re.compile(r"for 3 but 4 Process, 4 Number")
SMALL = "for 2 but 2 Process, 3 Number"
"""Enough to find what a missing guard allows."""

GUARDS = {
    "a claim names its attempt": (
        "w in Leased\n  Task.state = Queued and Task.attempt = n\n",
        "w in Leased\n  Task.state = Queued\n",
    ),
    "a claim needs a task that waits": (
        "  Task.state = Queued and Task.attempt = n\n  state' = Task -> Running",
        "  Task.attempt = n\n  state' = Task -> Running",
    ),
    "the claim removes the outbox row, not publishing": (
        "Broker -> Task.outbox\n  sameRecord and",
        "Broker -> Task.outbox\n  state' = state and attempt' = attempt and no outbox' and",
    ),
    "a doubtful claim is recognised by its owner": (
        "n in w.taken & w.doubtful and isCurrent[n] and Task.owner = w",
        "n in w.taken and isCurrent[n]",
    ),
    "a word about an attempt that is over is void": (
        "pred isCurrent[n: Number] { Task.state in active and Task.attempt = n }",
        "pred isCurrent[n: Number] { Task.state in active }",
    ),
    "no rescue before the lease has ended": (
        "Task.state in active and Task.owner not in Leased",
        "Task.state in active",
    ),
    "nothing is given back that has started": (
        "w in Living and n in w.claimed and claimed' = claimed - w -> n",
        "w in Living and claimed' = claimed - w -> n",
    ),
}
"""What the model loses, by name: a text of it, and what stands there instead."""


@pytest.mark.timeout(600)
def test_the_promises_hold(tmp_path: Path) -> None:
    found = run_commands(MODEL, tmp_path)
    checks = {name: satisfied for (kind, name), satisfied in found.items() if kind == "check"}
    examples = {name: satisfied for (kind, name), satisfied in found.items() if kind == "run"}
    assert len(checks) == 7
    assert [name for name, has_counterexample in checks.items() if has_counterexample] == []
    assert examples == {"GivenBackThenDone": True, "TwoRuns": True}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guard", GUARDS)
def test_each_guard_is_needed(guard: str, tmp_path: Path) -> None:
    there, instead = GUARDS[guard]
    text = MODEL.read_text()
    assert text.count(there) == 1
    weaker = tmp_path / "weaker.als"
    weaker.write_text(SCOPE.sub(SMALL, text.replace(there, instead)))
    assert run_commands(weaker, tmp_path, "NoStepBreaksIt") == {("check", "NoStepBreaksIt"): True}
