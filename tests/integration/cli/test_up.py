"""`taskgate up` as a whole: starting, stopping, dying."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import descendants
from support.require import require
from support.up import Up
from support.waiting import wait_until
from taskgate.client import Client, State
from taskgate.store import queries
from taskgate.store.database.engine import Database

_OWN_TASKS = '''
from taskgate.tasks import task

@task
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}!"
'''


def _child(up: Up, word: str) -> int:
    """The part's process: the child of `up` with the word in its command line."""
    for pid in descendants(up.pid):
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if int(stat[1]) == up.pid and word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            return pid
    raise AssertionError(f"no {word} among the children of {up.pid}")


def test_the_lines_that_it_prints_work_as_they_are(tmp_path: Path) -> None:
    path = [str(Path(sys.executable).parent), str(require("grpcurl").parent), os.environ["PATH"]]
    with Up(tmp_path) as up:
        lines = re.findall(r"^  (\w.*demo\.add.*)$", up.output, re.MULTILINE)
        assert [line.split()[0] for line in lines] == ["grpcurl", "taskgate"]
        assert '"demo.add"' in _paste(lines[0], path)
        assert "SUCCEEDED" in _paste(lines[1], path)


def _paste(line: str, path: list[str]) -> str:
    env = {**os.environ, "PATH": os.pathsep.join(path)}
    shell = ["bash", "-c", line]
    return subprocess.run(
        shell, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=60
    ).stdout


def test_ctrl_c_ends_both_parts(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        processes = descendants(up.pid)
        up.send(signal.SIGINT)
        assert up.wait(60) == 0
        assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]


def test_running_tasks_end_before_it_does(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        with Client(up.address) as client:
            handle = client.submit("demo.stubborn", [2])
            wait_until(lambda: handle.get().state is State.RUNNING, 30)
        up.send(signal.SIGTERM)
        assert up.wait(60) == 0
    database = Database(f"sqlite:///{tmp_path}/.taskgate/record.db")
    with database.read() as tx:
        task = queries.get(tx, handle.id)
    database.close()
    assert (task.state, task.attempt) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("part", ["server", "worker"])
def test_when_one_part_dies_the_other_ends_and_it_fails(tmp_path: Path, part: str) -> None:
    with Up(tmp_path) as up:
        processes = descendants(up.pid)
        os.kill(_child(up, part), signal.SIGKILL)
        assert up.wait(60) == 1
        assert f"Error: the {part} ended with exit code -9" in up.output
        wait_until(lambda: not [pid for pid in processes if Path(f"/proc/{pid}").exists()], 30)


def test_no_dashboard_where_none_is_wanted(tmp_path: Path) -> None:
    with Up(tmp_path, env={"TASKGATE_WEB_ADDRESS": ""}) as up:
        assert "dashboard" not in up.output


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(RuntimeError) as raised:
            Up(tmp_path, address=address)
    assert f"cannot listen on {address}" in "".join(raised.value.__notes__)


def test_tasks_of_your_own_from_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "mytasks.py").write_text(_OWN_TASKS)
    with (
        Up(tmp_path, "--tasks", "mytasks", "--pool", "threads") as up,
        Client(up.address) as client,
    ):
        assert client.submit("mytasks.greet", ["Ann"]).result(60) == "Hello, Ann!"
        assert client.submit("demo.add", [1, 1]).result(60) == 2
