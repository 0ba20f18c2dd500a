"""Where output goes wrong, where the terminal is narrow, and what scripts read of errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import IO

import pytest

from support.ports import free_port
from support.terminal import Terminal
from support.up import Up
from taskgate.cli.ids import short_ids

Output = int | IO[str]

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
_FULL = Path("/dev/full")
"""Every write to it fails as on a full disk."""


@pytest.fixture(scope="module")
def ids(up: Up) -> list[str]:
    return _submit(up, 5)


def _submit(up: Up, number: int) -> list[str]:
    command = [sys.executable, "-m", "taskgate.cli", "submit", "--batch", "-", "--quiet", "--wait"]
    lines = '{"task_type": "demo.echo", "args": [1], "labels": {"team": "a-long-name"}}\n' * number
    done = subprocess.run(
        command, env=_env(up), input=lines, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()[:number]


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["types"], ["--help"]])
def test_a_full_disk_is_an_error_of_one_line(up: Up, ids: list[str], words: list[str]) -> None:
    del ids
    with _FULL.open("w") as full:
        done = _run(up, words, stdout=full)
    assert done.returncode == 74
    assert done.stderr.splitlines() == ["Error: [Errno 28] No space left on device"]


def test_an_error_that_cannot_be_written_keeps_its_exit_code_apart(up: Up) -> None:
    with _FULL.open("w") as full:
        done = _run(up, ["get", str(uuid.uuid4())], stdout=full, stderr=full)
    assert done.returncode == 74


def test_a_closed_pipe_is_no_error_to_read_about(up: Up, ids: list[str]) -> None:
    del ids
    reader, writer = os.pipe()
    os.close(reader)
    done = _run(up, ["list"], stdout=writer)
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "reason"),
    [
        (["get", str(uuid.uuid4())], 4, "NOT_FOUND", "TASK_NOT_FOUND"),
        (["submit", "demo.add", "1"], 4, "INVALID_ARGUMENT", "ARGUMENTS_INVALID"),
        (["list", "--state", "NOPE"], 2, "INVALID_ARGUMENT", ""),
        (["types", "no.such"], 4, "NOT_FOUND", ""),
        (["get", str(uuid.uuid4()), "--address", f"127.0.0.1:{free_port()}"], 5, "UNAVAILABLE", ""),
    ],
)
def test_with_json_errors_are_json(
    up: Up, words: list[str], exit_code: int, code: str, reason: str
) -> None:
    done = _run(up, [*words, "--json"])
    assert done.returncode == exit_code
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    error = json.loads(line)["error"]
    assert (error["code"], error["reason"]) == (code, reason)
    assert error["message"]


def test_a_wait_that_is_over_is_json_too(up: Up) -> None:
    words = ["submit", "demo.add", "1", "1", "--delay", "1h", "--timeout", "0.2s", "--json"]
    done = _run(up, words)
    assert done.returncode == 5
    assert json.loads(done.stderr)["error"]["code"] == "DEADLINE_EXCEEDED"


def test_minus_v_shows_all_frames_of_a_traceback(up: Up) -> None:
    task_id = json.loads(_run(up, ["submit", "demo.fail", "x", "--wait", "--json"]).stdout)["id"]
    short, whole = _run(up, ["get", task_id]).stdout, _run(up, ["get", task_id, "-v"]).stdout
    assert "demo.py" in short
    assert "celery/app/trace.py" not in short
    assert "celery/app/trace.py" in whole
    assert "celery/app/trace.py" in _run(up, ["get", task_id, "--json"]).stdout
    assert "celery/app/trace.py" in _run(up, ["list", "--full", "-v"]).stdout


@pytest.mark.parametrize("columns", [60, 80])
def test_a_narrow_terminal_lists_what_tells_tasks_apart(
    up: Up, ids: list[str], columns: int
) -> None:
    lines = _screen(up, columns, "list", "--type", "demo.echo", "--label", "team=a-long-name")
    assert max(map(len, lines)) <= columns
    shown = [line.split() for line in lines[1:]]
    assert {row[2] for row in shown} == {"SUCCEEDED"}
    assert {row[1] for row in shown} == {"demo.echo"}
    assert len({row[0] for row in shown}) == len(ids)
    assert {row[0] for row in shown} == (
        set(short_ids(ids).values()) if columns == 60 else {row[0] for row in shown}
    )


def test_a_short_id_stands_for_the_whole_one_in_every_command(up: Up, ids: list[str]) -> None:
    short = short_ids(ids)[ids[0]].upper()
    assert len(short) < len(ids[0])
    assert json.loads(_run(up, ["get", short, "--json"]).stdout)["id"] == ids[0]
    assert f"retry of   {ids[0]}" in _run(up, ["retry", short]).stdout
    assert ids[0] in _run(up, ["watch", short]).stdout
    assert ids[0] in _run(up, ["list", "--root", short, "--quiet"]).stdout.split()
    refused = _run(up, ["abort", short, "--json"])
    assert json.loads(refused.stderr)["error"]["reason"] == "TASK_ALREADY_FINAL"


def test_a_short_id_of_several_tasks_or_none_is_refused(up: Up) -> None:
    ids = _submit(up, 100)
    # Of so many in one batch, several are of one millisecond.
    [(prefix, number)] = Counter(one[:13] for one in ids).most_common(1)
    assert number > 1
    several = _run(up, ["abort", prefix])
    assert several.returncode == 4
    assert "is the beginning of more than one id\n  " in several.stderr
    none = _run(up, ["get", "00000000-0000-7000"])
    assert (none.returncode, "TASK_NOT_FOUND" in none.stderr) == (4, True)


@pytest.mark.parametrize("columns", [60, 80])
def test_a_narrow_terminal_watches_what_tells_tasks_apart(
    up: Up, ids: list[str], columns: int
) -> None:
    lines = [line for line in _screen(up, columns, "watch", *ids) if "SUCCEEDED" in line]
    assert max(map(len, lines)) <= columns
    assert {line.split()[1] for line in lines} == {"demo.echo"}
    shown = {line.split()[0] for line in lines}
    assert shown == (set(ids) if columns > 60 else set(short_ids(ids).values()))


def _screen(up: Up, columns: int, *words: str) -> list[str]:
    command = [sys.executable, "-m", "taskgate.cli", *words]
    with Terminal(command, {"TASKGATE_ADDRESS": up.address}, columns=columns) as terminal:
        assert terminal.wait() == 0
        screen = _STYLE.sub("", terminal.screen)
    # What moves the cursor begins a line here.
    return [line.rstrip() for line in _CONTROL.sub("\n", screen).splitlines() if line.strip()]


def _run(
    up: Up, words: list[str], stdout: Output = subprocess.PIPE, stderr: Output = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskgate.cli", *words],
        env=_env(up),
        stdout=stdout,
        stderr=stderr,
        text=True,
        check=False,
        timeout=60,
    )


def _env(up: Up) -> dict[str, str]:
    return {**os.environ, "TASKGATE_ADDRESS": up.address}
