"""The commands for many tasks, and for what there is, against a real server and a real worker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.terminal import Terminal
from support.up import Up

Taskgate = Callable[..., subprocess.CompletedProcess[str]]

BIG = 2**53 + 1


def _in_terminal(up: Up, *words: str) -> Terminal:
    command = [sys.executable, "-m", "taskgate.cli", *words]
    return Terminal(command, {"TASKGATE_ADDRESS": up.address})


def _piped(up: Up, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskgate.cli", *words],
        env={**os.environ, "TASKGATE_ADDRESS": up.address},
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _batch(*lines: dict[str, Any] | str) -> str:
    return "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines)


@pytest.fixture
def label() -> str:
    return f"run={uuid.uuid4()}"


def test_a_list_is_a_table(taskgate: Taskgate, label: str) -> None:
    first = taskgate("submit", "demo.add", "2", "3", "--label", label, "--wait", "-q").stdout
    second = taskgate("submit", "demo.fail", "boom", "--label", label, "--wait", "-q").stdout
    answer = taskgate("list", "--label", label)
    assert (answer.returncode, answer.stderr) == (0, "")
    heading, *rows = [line.split() for line in answer.stdout.splitlines()]
    assert heading == ["ID", "TYPE", "STATE", "AGE", "TOOK", "ATTEMPT", "LABELS"]
    assert [row[:3] + row[-1:] for row in rows] == [
        [second.strip(), "demo.fail", "FAILED", label],
        [first.strip(), "demo.add", "SUCCEEDED", label],
    ]
    failed = taskgate("list", "--label", label, "--state", "failed", "--since", "1h", "-q")
    assert failed.stdout == second
    assert taskgate("list", "--label", label, "--before", "1h", "-q").stdout == ""
    assert taskgate("list", "--root", first.strip(), "--type", "demo.add", "-q").stdout == first
    full = taskgate("list", "--label", label, "--full").stdout
    assert 'demo.fail("boom") FAILED\n' in full
    assert "Traceback (most recent call last)" in full
    assert "  result     5\n" in full


def test_lists_go_on_page_by_page(taskgate: Taskgate, up: Up, label: str) -> None:
    key, value = label.split("=")
    line = {"task_type": "demo.add", "args": [1, 1], "delay": 3600, "labels": {key: value}}
    ids = _piped(up, _batch(*[line] * 5), "submit", "--batch", "-", "-q").stdout.split()
    assert len(ids) == 5
    first = taskgate("list", "--label", label, "--limit", "3", "-q")
    assert len(first.stdout.split()) == 3
    [token] = re.findall(r"--page-token (\S+)", first.stderr)
    rest = taskgate("list", "--label", label, "--limit", "3", "-q", "--page-token", token)
    assert rest.stderr == ""
    assert sorted(first.stdout.split() + rest.stdout.split()) == sorted(ids)
    everything = taskgate("list", "--label", label, "--limit", "3", "--all", "-q")
    assert sorted(everything.stdout.split()) == sorted(ids)
    other = taskgate("list", "--limit", "3", "--page-token", token)
    assert (other.returncode, other.stdout) == (4, "")
    assert "PAGE_TOKEN_INVALID" in other.stderr


def test_lists_as_json_say_no_more_than_was_asked(taskgate: Taskgate, label: str) -> None:
    taskgate("submit", "demo.echo", str(BIG), "--label", label, "--wait")
    page = json.loads(taskgate("list", "--label", label, "--json").stdout)
    assert page["next_page_token"] == ""
    [basic] = page["tasks"]
    assert basic["state"] == "SUCCEEDED"
    assert not {"args", "kwargs", "result", "attempts"} & set(basic)
    [full] = json.loads(taskgate("list", "--label", label, "--json", "--full").stdout)["tasks"]
    assert (full["args"], full["result"], len(full["attempts"])) == ([BIG], BIG, 1)


def test_a_batch_goes_on_past_bad_lines(up: Up) -> None:
    text = _batch(
        {"task_type": "demo.add", "args": [2, 3], "request_id": str(uuid.uuid4())},
        "no json",
        {"task_type": "demo.add", "args": ["x", 3]},
        "",
        {"task_type": "demo.add", "kwargs": {"x": 1, "y": 1}, "delay": "1s"},
    )
    answer = _piped(up, text, "submit", "--batch", "-")
    assert answer.returncode == 4
    assert len(answer.stdout.split()) == 2
    told = answer.stderr.splitlines()
    assert told[0].startswith("line 2: Expecting value")
    assert told[1].startswith("line 3: args[0]: ")
    assert told[1].endswith("(ARGUMENTS_INVALID)")
    assert told[2:] == ["2 submitted, 2 refused."]

    again = _piped(up, text, "submit", "--batch", "-", "--json")
    outcomes = [json.loads(line) for line in again.stdout.splitlines()]
    assert [outcome["line"] for outcome in outcomes] == [1, 2, 3, 5]
    assert outcomes[0]["task"]["id"] == answer.stdout.split()[0]
    assert outcomes[1]["error"]["reason"] == "LINE_MALFORMED"
    assert outcomes[2]["error"]["violations"][0]["field"] == "args[0]"


def test_a_batch_is_waited_for(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    good = {"task_type": "demo.add", "args": [2, 3]}
    file.write_text(_batch(*[good] * 600))
    answer = _piped(up, "", "submit", "--batch", str(file), "--wait")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == "600 submitted, 0 refused.\n"
    assert len(re.findall(" demo.add SUCCEEDED ", answer.stdout)) == 600
    file.write_text(_batch(good, {"task_type": "demo.fail", "args": ["boom"]}))
    assert _piped(up, "", "submit", "--batch", str(file), "--wait").returncode == 1
    file.write_text("")
    assert _piped(up, "", "submit", "--batch", str(file), "--wait").returncode == 0


def test_a_terminal_sees_how_far_a_batch_is(up: Up, tmp_path: Path) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_text(_batch(*[{"task_type": "demo.add", "args": [2, 3]}] * 3))
    with _in_terminal(up, "submit", "--batch", str(file)) as terminal:
        assert terminal.wait() == 0
        assert "3 submitted, 0 refused" in terminal.screen
        assert "━" in terminal.screen


def test_a_pipe_gets_a_line_for_each_change(up: Up, taskgate: Taskgate) -> None:
    counting = taskgate("submit", "demo.countdown", "1", "-q").stdout.strip()
    failing = taskgate("submit", "demo.fail", "[bold]boom", "-q").stdout.strip()
    answer = _piped(up, f"{counting}\n{failing}\n", "watch", "-", "--timeout", "50s")
    assert answer.returncode == 1, answer.stderr
    assert re.search(
        rf"^\d\d:\d\d:\d\d {counting} demo\.countdown SUCCEEDED", answer.stdout, re.MULTILINE
    )
    assert re.search(rf"{failing} demo\.fail FAILED .* RuntimeError: \[bold\]boom\n", answer.stdout)
    assert "\x1b" not in answer.stdout


def test_a_watch_as_json_has_each_version(taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.countdown", "1", "-q").stdout.strip()
    answer = taskgate("watch", task_id, task_id, "--json")
    assert answer.returncode == 0
    tasks = [json.loads(line) for line in answer.stdout.splitlines()]
    versions = [task["version"] for task in tasks]
    assert versions == sorted(set(versions))
    assert (tasks[-1]["state"], tasks[-1]["result"]) == ("SUCCEEDED", 1)


def test_a_watch_ends_as_its_tasks_did(taskgate: Taskgate) -> None:
    waiting = taskgate("submit", "demo.add", "1", "1", "--delay", "1h", "-q").stdout.strip()
    late = taskgate("watch", waiting, "--timeout", "0.5s")
    assert late.returncode == 5
    assert f"task {waiting} has not ended in 0.5 s" in late.stderr
    taskgate("abort", waiting)
    assert taskgate("watch", waiting).returncode == 3
    unknown = taskgate("watch", waiting, str(uuid.uuid4()))
    assert (unknown.returncode, unknown.stdout) == (4, "")
    assert "TASK_NOT_FOUND" in unknown.stderr


def test_a_terminal_sees_a_bar_for_each(up: Up, taskgate: Taskgate) -> None:
    ids = [taskgate("submit", "demo.countdown", "60", "-q").stdout.strip() for _ in range(2)]
    with _in_terminal(up, "watch", *ids) as terminal:
        terminal.wait_for("s to go")
        terminal.wait_for("0 of 2")
        for task_id in ids:
            terminal.wait_for(task_id)
            taskgate("abort", task_id)
            terminal.wait_for(f"{task_id}\x1b[0m \x1b[1mdemo.countdown\x1b[0m \x1b[35mABORTED")
        assert terminal.wait() == 3


def test_ctrl_c_ends_a_watch_not_its_tasks(up: Up, taskgate: Taskgate) -> None:
    task_id = taskgate("submit", "demo.add", "1", "1", "--delay", "1h", "-q").stdout.strip()
    with _in_terminal(up, "watch", task_id) as terminal:
        terminal.wait_for("SCHEDULED")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
        assert "The tasks go on." in terminal.screen


def test_types_are_readable_at_a_glance(taskgate: Taskgate) -> None:
    answer = taskgate("types")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "demo.countdown(seconds: float)\n    Count seconds down" in answer.stdout
    detail = taskgate("types", "demo.flaky").stdout
    assert detail.startswith("demo.flaky(failures: int)\n    Fail so many times")
    assert "  attempts   11\n" in detail
    assert '  parameter  failures required, by position or name: {"type": "integer"}' in detail
    [known] = json.loads(taskgate("types", "demo.add", "--json").stdout)["task_types"]
    assert known["arguments_schema"]["required"] == ["x", "y"]
    unknown = taskgate("types", "demo.ad")
    assert unknown.returncode == 4
    assert "did you mean demo.add" in unknown.stderr


def test_workers_are_listed(taskgate: Taskgate) -> None:
    heading, row = taskgate("workers").stdout.splitlines()
    assert heading.split()[:4] == ["ID", "STATE", "QUEUES", "POOL"]
    assert row.split()[1:4] == ["ALIVE", "celery", "prefork"]
    [worker] = json.loads(taskgate("workers", "--alive", "--json").stdout)["workers"]
    assert worker["id"] == row.split()[0]
    assert worker["state"] == "ALIVE"
    assert worker["stop_time"] is None
