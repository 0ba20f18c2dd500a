"""The supervisor with real child processes; each test's supervisor lives in a process of its own,
because it takes over the signals of the one that it is in."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from support.processes import Process
from support.waiting import wait_until

_SUPERVISOR = """
import sys
from taskgate.cli.supervisor import PartDied, StopRequested, Supervisor

supervisor = Supervisor()
for name, code in zip(sys.argv[1::2], sys.argv[2::2]):
    print(name, supervisor.start(name, [sys.executable, "-c", code], {"PART": name}), flush=True)
try:
    supervisor.run_until(lambda: None)
except StopRequested:
    print("stop", flush=True)
    supervisor.stop()
except PartDied as death:
    print(death, flush=True)
    supervisor.stop(limit=1)
"""

_SLEEP = "import signal; signal.pause()"
_STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print("stubborn child", child.pid, flush=True)
signal.pause()
"""


def _supervise(tmp_path: Path, **parts: str) -> Process:
    words = [word for part in parts.items() for word in part]
    return Process([sys.executable, "-c", _SUPERVISOR, *words], log=tmp_path / "log")


def _pids(process: Process, *names: str) -> list[int]:
    def found() -> dict[str, int]:
        lines = [line.rpartition(" ") for line in process.output.splitlines()]
        return {name: int(pid) for name, _, pid in lines if pid.isdigit()}

    process.wait_ready(lambda: set(names) <= set(found()))
    return [found()[name] for name in names]


def _alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_parts(tmp_path: Path, number: signal.Signals) -> None:
    with _supervise(tmp_path, one=_SLEEP, two=_SLEEP) as process:
        pids = _pids(process, "one", "two")
        process.send(number)
        assert process.wait() == 0
        assert not any(map(_alive, pids))
        assert "stop" in process.output


def test_when_one_part_dies_the_others_are_stopped(tmp_path: Path) -> None:
    with _supervise(tmp_path, one=_SLEEP, two="import sys; sys.exit(7)") as process:
        pids = _pids(process, "one", "two")
        process.wait()
        assert not any(map(_alive, pids))
        assert "the two ended with exit code 7" in process.output


def test_a_second_signal_kills_what_does_not_stop_with_its_children(tmp_path: Path) -> None:
    with _supervise(tmp_path, one=_STUBBORN) as process:
        pids = _pids(process, "one", "stubborn child")
        process.send(signal.SIGINT)
        process.wait_ready(lambda: "stop" in process.output.splitlines())
        assert all(map(_alive, pids))
        process.send(signal.SIGINT)
        process.wait()
        wait_until(lambda: not any(map(_alive, pids)))


def test_a_part_that_outlives_another_is_killed_in_the_end(tmp_path: Path) -> None:
    with _supervise(tmp_path, one=_STUBBORN, two="import time; time.sleep(1)") as process:
        pids = _pids(process, "one", "stubborn child")
        process.wait()
        wait_until(lambda: not any(map(_alive, pids)))


def test_parts_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    with _supervise(tmp_path, one=_SLEEP) as process:
        pids = _pids(process, "one")
        process.send(signal.SIGKILL)
        wait_until(lambda: not any(map(_alive, pids)))
