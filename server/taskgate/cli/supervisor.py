"""Runs the parts as child processes: all of them, or none."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

_TICK_SECONDS = 0.1
Found = TypeVar("Found")

_PR_SET_PDEATHSIG = 1


class PartDied(Exception):
    """A part ended by itself."""

    def __init__(self, name: str, exit_code: int) -> None:
        super().__init__(f"the {name} ended with exit code {exit_code}")


class StopRequested(Exception):
    """Ctrl-C or SIGTERM."""


class Supervisor:
    """Starts parts, notices when one dies or a stop is asked for, and ends them all.

    One per process: it takes over SIGINT and SIGTERM.
    """

    def __init__(self) -> None:
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        # The only thing that a signal handler may safely do: put is reentrant.
        self._stops: SimpleQueue[int] = SimpleQueue()
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Start a part; its process id."""
        part = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for us; we pass it on
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - there is no other thread
        )
        self._parts[name] = part
        return part.pid

    def run_until(self, condition: Callable[[], Found | None]) -> Found:
        """What the condition finds, once it does; it is asked ten times a second.

        Raises:
            StopRequested: a stop was asked for.
            PartDied: a part ended.
        """
        while not (found := condition()):
            if self._stop_within(_TICK_SECONDS):
                raise StopRequested
            for name, part in self._parts.items():
                if part.poll() is not None:
                    raise PartDied(name, part.returncode)
        return found

    def stop(self, *, limit: float | None = None) -> None:
        """End the parts: at the next signal, or after ``limit`` seconds, without mercy."""
        deadline = None if limit is None else time.monotonic() + limit
        self._signal_all(signal.SIGTERM)
        while any(part.poll() is None for part in self._parts.values()):
            late = deadline is not None and time.monotonic() > deadline
            if self._stop_within(_TICK_SECONDS) or late:
                self._signal_all(signal.SIGKILL)

    def _stop_within(self, seconds: float) -> bool:
        try:
            self._stops.get(timeout=seconds)
        except Empty:
            return False
        return True

    def _signal_all(self, number: signal.Signals) -> None:
        for part in self._parts.values():
            if part.poll() is not None:
                continue
            if number is signal.SIGKILL:
                os.killpg(part.pid, number)  # with the processes of its pool
            else:
                part.send_signal(number)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._stops.put(number)


def _end_with_parent() -> None:
    """Have the kernel end a part whose supervisor was killed and could not."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
