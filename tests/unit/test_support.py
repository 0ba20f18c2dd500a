"""The helpers that the other tests stand on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from support.ports import free_port
from support.processes import Process, descendants, has_ended
from support.require import require
from support.waiting import wait_until


def shell(script: str, log: Path) -> Process:
    return Process(["sh", "-c", script], log=log)


def test_a_program_that_dies_before_it_is_ready_shows_its_log(tmp_path: Path) -> None:
    process = shell("echo no such thing; exit 3", tmp_path / "log")
    with pytest.raises(RuntimeError, match="sh ended with 3") as raised:
        process.wait_ready(lambda: False)
    assert "no such thing" in raised.value.__notes__[0]


def test_a_program_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    process = shell("sleep 60", tmp_path / "log")
    with pytest.raises(TimeoutError):
        process.wait_ready(lambda: False, timeout=0.1)
    assert process.exit_code == -signal.SIGKILL


def test_stop_ends_what_ignores_a_signal_and_its_children(tmp_path: Path) -> None:
    process = shell("trap '' TERM; setsid sleep 60 & echo up; wait; wait", tmp_path / "log")
    process.wait_ready(lambda: "up" in process.output)
    wait_until(lambda: len(descendants(process.pid)) == 1)
    (child,) = descendants(process.pid)
    process.pause()
    assert process.stop(timeout=0.1) == -signal.SIGKILL
    assert has_ended(child)


def test_stop_ends_children_whose_parent_ended_before_them(tmp_path: Path) -> None:
    process = shell("sleep 60 & echo $!", tmp_path / "log")
    assert process.wait() == 0
    child = int(process.output)
    assert not has_ended(child)
    assert process.stop() == 0
    wait_until(lambda: has_ended(child))


def test_stop_lets_a_program_end_in_good_order(tmp_path: Path) -> None:
    with shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done", tmp_path / "log") as it:
        it.wait_ready(lambda: "up" in it.output)
        assert it.stop() == 7


def test_no_port_is_given_out_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


@pytest.mark.parametrize(("ci", "outcome"), [("", "skip"), ("true", "fail")])
def test_a_missing_program_skips_here_and_fails_in_ci(
    ci: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    exception = {"skip": pytest.skip.Exception, "fail": pytest.fail.Exception}[outcome]
    with pytest.raises(exception, match="no-such-program is not installed"):
        require("no-such-program")
