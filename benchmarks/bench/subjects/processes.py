"""One server with several processes on one port."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from bench import setups
from bench.environment import OURS, Environment, Scale
from bench.measurements import Row, in_turns
from bench.subjects.calls import submit_calls, submit_rate
from support.ports import free_port

PROCESSES = 2


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Submits, 128 in flight, with one process and with two."""
    if not _server_has_processes():
        return
    with ExitStack() as exits:
        one, _ = setups.on_redis(environment, exits)
        two, _ = setups.on_redis(environment, exits)
        two.deployment.address = f"127.0.0.1:{free_port()}"
        server = two.deployment.start(
            "taskgate",
            "server",
            f"--processes={PROCESSES}",
            env={"TASKGATE_ADDRESS": two.deployment.address},
        )
        server.wait_ready(two.deployment.is_serving)
        contestants: dict[str, Callable[[], float]] = {
            name: partial(submit_rate, ours, submit_calls(ours), scale.calls, environment)
            for name, ours in ((f"{PROCESSES} processes", two), ("1 process", one))
        }
        values = in_turns(contestants, scale.rounds, warm_up=True)
        yield Row("Submit, 128 in flight", "calls a second", values)


def _server_has_processes() -> bool:
    command = [str(OURS / "taskgate"), "server", "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return "--processes" in done.stdout
