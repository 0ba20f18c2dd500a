"""What the tasks wrote down when they started, outside all systems (``programs/work.py``)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

_LINE = len("00000000 00000000000000000000\n")


class WrongRun(AssertionError):
    """A run did not do what its rate would claim."""


class Journal:
    """A file to which the tasks of one run append a line each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def __len__(self) -> int:
        return self.path.stat().st_size // _LINE

    def starts(self) -> dict[int, int]:
        """When each task started first, in nanoseconds of the monotonic clock, in that order."""
        starts: dict[int, int] = {}
        for line in self.path.read_text().splitlines():
            number, time = line.split()
            starts.setdefault(int(number), int(time))
        return dict(sorted(starts.items(), key=lambda item: item[1]))

    def check(self, number: int) -> None:
        """See that each of so many tasks ran, and ran once.

        Raises:
            WrongRun: one did not.
        """
        ran = Counter(int(line.split()[0]) for line in self.path.read_text().splitlines())
        wrong = {n: ran[n] for n in range(number) if ran[n] != 1}
        if wrong:
            raise WrongRun(f"of {number} tasks {len(wrong)} did not run once: {list(wrong)[:5]}")
