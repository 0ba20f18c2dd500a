"""What the tasks of all systems do: they write down that they started, and little else."""

from __future__ import annotations

import os
import time

_journal = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def nothing(number: int) -> None:
    """Only say that it ran."""
    _note_start(number)


def ten_kilobytes(number: int) -> str:
    """Return a result of 10 kB."""
    _note_start(number)
    return "x" * 10_240


def ten_milliseconds(number: int) -> None:
    """Take 10 ms."""
    _note_start(number)
    time.sleep(0.01)


def one_second(number: int) -> None:
    """Take a second."""
    _note_start(number)
    time.sleep(1)


def _note_start(number: int) -> None:
    # Linux gives all processes the same monotonic clock, and appends short writes whole.
    os.write(_journal, b"%08d %020d\n" % (number, time.monotonic_ns()))
