"""The client verbs against a real server and a real worker."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from importlib.metadata import version

import pytest

from support.terminal import Terminal
from support.up import Up
from taskgate.client import AsyncClient, Client, TaskNotFound

Taskgate = Callable[..., subprocess.CompletedProcess[str]]

BIG = 2**53 + 1


def test_submit_and_wait(taskgate: Taskgate) -> None:
    answer = taskgate("submit", "demo.add", "2", "y=3", "--wait", "--label", "team=web")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("demo.add(2, y=3) SUCCEEDED\n")
    assert "  result     5\n" in answer.stdout
    assert "team=web" in answer.stdout
    assert answer.stderr == ""


def test_the_server_says_its_version(up: Up) -> None:
    with Client(up.address) as client:
        with pytest.raises(TaskNotFound):
            client.task(str(uuid.uuid4())).get()
        assert client.server_version == version("taskgate")


def test_the_server_says_its_version_in_an_event_loop_too(up: Up) -> None:
    async def versions() -> list[str]:
        async with AsyncClient(up.address) as client:
            found = [client.server_version]
            await client.submit("demo.add", [1, 2])
            found.append(client.server_version)
        async with AsyncClient(up.address) as client:
            with pytest.raises(TaskNotFound):
                await client.task(str(uuid.uuid4())).get()
            return [*found, client.server_version]

    assert asyncio.run(versions()) == ["", version("taskgate"), version("taskgate")]


def test_json_is_exact(taskgate: Taskgate) -> None:
    answer = taskgate("submit", "demo.echo", json.dumps([BIG, "ü", None]), "--wait", "--json")
    task = json.loads(answer.stdout)
    assert task["state"] == "SUCCEEDED"
    assert task["result"] == [BIG, "ü", None]
    assert task["args"] == [[BIG, "ü", None]]


def test_the_printed_id_finds_the_task(taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.add", "--args", "[1, 1]", "--quiet").stdout.strip()
    answer = taskgate("get", task_id, "--wait")
    assert answer.returncode == 0
    assert task_id in answer.stdout
    assert json.loads(taskgate("get", task_id, "--json").stdout)["result"] == 2


def test_a_failed_task_is_exit_code_1_with_its_traceback(taskgate: Taskgate) -> None:
    answer = taskgate("submit", "demo.fail", "[bold]boom", "--wait")
    assert answer.returncode == 1
    assert "FAILED" in answer.stdout
    assert "error      RuntimeError: [bold]boom\n" in answer.stdout
    assert "Traceback (most recent call last)" in answer.stdout
    task_id = json.loads(taskgate("submit", "demo.fail", "x", "--wait", "--json").stdout)["id"]
    assert taskgate("get", task_id).returncode == 0
    assert taskgate("get", task_id, "--wait").returncode == 1


def test_an_aborted_task_is_exit_code_3(taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.countdown", "60", "--quiet").stdout.strip()
    answer = taskgate("abort", task_id, "--reason", "wrong customer", "--wait")
    assert answer.returncode == 3
    assert "ABORTED" in answer.stdout
    assert "wrong customer" in answer.stdout


def test_retry_with_the_same_and_with_other_arguments(taskgate: Taskgate) -> None:
    first = taskgate("submit", "demo.add", "2", "3", "--wait", "--json")
    task_id = json.loads(first.stdout)["id"]
    same = json.loads(taskgate("retry", task_id, "--wait", "--json").stdout)
    assert (same["retry_of"], same["root_id"], same["result"]) == (task_id, task_id, 5)
    other = json.loads(taskgate("retry", task_id, "2", "y=4", "--wait", "--json").stdout)
    assert (other["args"], other["kwargs"], other["result"]) == ([2], {"y": 4}, 6)


def test_a_delayed_task_times_out_the_wait(taskgate: Taskgate) -> None:
    answer = taskgate("submit", "demo.add", "1", "1", "--delay", "1h", "--timeout", "0.5s")
    assert answer.returncode == 5
    assert "has not ended in 0.5 s" in answer.stderr


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["get", str(uuid.uuid4())], ["TASK_NOT_FOUND"]),
        (["get", "no-id"], ["TASK_NOT_FOUND"]),
        (["submit", "demo.ad"], ["TASK_TYPE_UNKNOWN", "demo.add"]),
        (["submit", "demo.add", "1"], ["ARGUMENTS_INVALID", "y"]),
        (["submit", "demo.add", "1", "2", "--queue", "no such queue"], ["queue: "]),
    ],
)
def test_a_refused_call_is_exit_code_4(
    taskgate: Taskgate, words: list[str], messages: list[str]
) -> None:
    answer = taskgate(*words)
    assert answer.returncode == 4, answer
    assert answer.stdout == ""
    assert answer.stderr.startswith("Error: ")
    assert "Traceback" not in answer.stderr
    for message in messages:
        assert message in answer.stderr


def test_ctrl_c_leaves_the_task_running_and_says_how_to_find_it(up: Up, taskgate: Taskgate) -> None:
    with _in_terminal(up, "submit", "demo.countdown", "60", "--wait") as terminal:
        terminal.wait_for("RUNNING")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
    found = re.search(r"The task goes on: see it with `taskgate get (\S+)`", terminal.screen)
    assert found is not None
    assert json.loads(taskgate("get", found[1], "--json").stdout)["state"] == "RUNNING"
    assert taskgate("abort", found[1], "--wait").returncode == 3


def test_a_terminal_sees_a_bar(up: Up) -> None:
    with _in_terminal(up, "submit", "demo.countdown", "1", "--wait") as terminal:
        assert terminal.wait() == 0
        assert "s to go" in terminal.screen
        assert "SUCCEEDED" in terminal.screen


def _in_terminal(up: Up, *words: str) -> Terminal:
    command = [sys.executable, "-m", "taskgate.cli", *words]
    return Terminal(command, {"TASKGATE_ADDRESS": up.address})
