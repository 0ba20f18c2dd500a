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
