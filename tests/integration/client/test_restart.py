from __future__ import annotations

from pathlib import Path

from support.ports import free_port
from support.up import Up
from taskgate.client import Client, State


def test_waiting_outlasts_a_restart_of_server_and_worker(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with Client(address) as client:
        with Up(tmp_path, address=address):
            delayed = client.submit("demo.add", [2, 3], delay=2)
            assert delayed.latest is not None
            assert delayed.latest.state is State.SCHEDULED
        (tmp_path / "up.log").unlink()
        with Up(tmp_path, address=address):
            assert delayed.result(60) == 5


def test_a_watch_outlasts_a_restart_and_misses_nothing(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with Client(address) as client:
        with Up(tmp_path, address=address):
            handles = [client.submit("demo.add", [n, 1], delay=8) for n in range(3)]
            tasks = client.watch(handles, timeout=100)
            first = [next(tasks) for _ in handles]
            assert {task.state for task in first} == {State.SCHEDULED}
        (tmp_path / "up.log").unlink()
        with Up(tmp_path, address=address):
            rest = list(tasks)
    ends = {task.id: task.result for task in rest if task.is_final}
    assert ends == {handle.id: n + 1 for n, handle in enumerate(handles)}
    versions = [(task.id, task.version) for task in (*first, *rest)]
    assert len(set(versions)) == len(versions)
