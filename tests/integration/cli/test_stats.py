"""``stats``, ``queues`` and ``top``: what is going on, as a table, as JSON, live."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable

from support.terminal import Terminal
from support.up import Up
from support.waiting import wait_until

Taskgate = Callable[..., subprocess.CompletedProcess[str]]


def test_what_is_going_on(taskgate: Taskgate) -> None:
    assert taskgate("submit", "demo.fail", "no", "--wait").returncode == 1
    assert taskgate("submit", "demo.add", "1", "2", "--delay", "1h").returncode == 0
    answer = taskgate("stats")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("1 worker, 0 of ")
    assert "demo.fail" in answer.stdout
    found = json.loads(taskgate("stats", "--queue", "nobody's", "--json").stdout)
    assert [one["name"] for one in found["queues"]] == ["nobody's"]
    assert found["types"]["demo.add"]["scheduled"] == 1

    # Final tasks are counted anew every few seconds only.
    def one_failed() -> bool:
        states = json.loads(taskgate("stats", "--json").stdout)["states"]
        return bool(states.get("FAILED") == {"tasks": 1, "estimated": False})

    wait_until(one_failed, timeout=30)


def test_queues(taskgate: Taskgate) -> None:
    heading, *rows = taskgate("queues").stdout.splitlines()
    assert heading.split()[:2] == ["QUEUE", "WORKERS"]
    assert rows[0].split()[0] == "celery"
    found = json.loads(taskgate("queues", "--json").stdout)
    assert found["queues"][0]["worker_count"] == 1


def test_pauses(taskgate: Taskgate) -> None:
    paused = taskgate("pause", "--queue", "celery", "--reason", "a look")
    assert paused.returncode == 0, paused.stderr
    assert paused.stdout.startswith("queue celery is paused")
    assert "a look" in taskgate("pauses").stdout
    [found] = json.loads(taskgate("pauses", "--json").stdout)["pauses"]
    assert (found["queue"], found["reason"]) == ("celery", "a look")
    assert taskgate("resume", "--queue", "celery").stdout == "queue celery goes on\n"
    assert taskgate("resume", "--queue", "celery").stdout == "queue celery was not paused\n"
    assert taskgate("pause", "--type", "demo.ad").returncode == 4


def test_top_in_a_pipe_says_it_once(taskgate: Taskgate) -> None:
    answer = taskgate("top")
    assert answer.returncode == 0, answer.stderr
    assert "slots busy" in answer.stdout


def test_top_is_live(up: Up, taskgate: Taskgate) -> None:
    command = [sys.executable, "-m", "taskgate.cli", "top"]
    with Terminal(command, {"TASKGATE_ADDRESS": up.address, "LINES": "20"}) as terminal:
        terminal.wait_for("celery")
        assert taskgate("submit", "demo.echo", "1", "--wait").returncode == 0
        terminal.wait_for("demo.echo")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
