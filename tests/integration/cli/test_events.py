"""``events``: what happened, as lines, as JSON, and as it happens."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable

from support.terminal import Terminal
from support.up import Up

Taskgate = Callable[..., subprocess.CompletedProcess[str]]


def test_who_did_what(taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.add", "1", "2", "--delay", "1h", "--quiet").stdout.strip()
    assert taskgate("abort", task_id, "--reason", "not needed").returncode == 0
    told = taskgate("events", "--task", task_id)
    assert told.returncode == 0, told.stderr
    submitted, called, ended = told.stdout.splitlines()
    assert f"{task_id} demo.add SUBMITTED" in submitted
    assert "CALLED" in called
    assert called.endswith(", not needed")
    assert "ABORTED" in ended


def test_as_json(taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.fail", "no", "--quiet", "--wait").stdout.split()[0]
    lines = taskgate("events", "--since", "1m", "--kind", "ended", "--json").stdout.splitlines()
    [event] = [one for one in map(json.loads, lines) if one["task_id"] == task_id]
    assert (event["kind"], event["state"], event["outcome"]) == ("ENDED", "FAILED", "FAILED")
    rest = taskgate("events", "--after", event["cursor"], "--kind", "ended", "--json").stdout
    assert task_id not in rest
    assert taskgate("events", "--after", event["cursor"]).returncode == 4


def test_they_are_followed_until_ctrl_c(up: Up, taskgate: Taskgate) -> None:
    command = [sys.executable, "-m", "taskgate.cli", "events", "--follow"]
    with Terminal(command, {"TASKGATE_ADDRESS": up.address, "COLUMNS": "200"}) as terminal:
        task_id = taskgate("submit", "demo.echo", "1", "--quiet").stdout.strip()
        terminal.wait_for(task_id)
        terminal.wait_for("SUCCEEDED")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
