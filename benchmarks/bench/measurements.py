"""What was measured: rows of values by round, and what is said of them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, with the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured for one or several contestants, round by round.

    The first contestant is compared with each of the others, round with round: what ran right
    after it on the same machine.
    """

    title: str
    unit: str
    values: Mapping[str, Sequence[float]]
    less_is_better: bool = False
    compared: bool = True

    @property
    def contestants(self) -> list[str]:
        return list(self.values)

    def spread(self, contestant: str) -> Spread:
        return Spread.of(self.values[contestant])

    def ratios(self) -> dict[str, Spread]:
        """The first contestant's value by that of each of the others."""
        first, *others = self.contestants if self.compared else [""]
        return {
            other: Spread.of(
                [a / b for a, b in zip(self.values[first], self.values[other], strict=True)]
            )
            for other in others
        }

    def is_behind(self, other: str) -> bool:
        """Whether the median says that the other contestant does better than the first."""
        median = self.ratios()[other].median
        return median > 1 if self.less_is_better else median < 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What one subject's run gave."""

    subject: str
    commit: str
    date: str
    rounds: int
    rows: Sequence[Row] = field(default_factory=tuple)
    problem: str = ""
    """Why rows are missing; empty if none is."""


@dataclass(frozen=True, slots=True)
class Results:
    """The newest run of each subject, and the machine of the last one."""

    machine: Mapping[str, str]
    subjects: Mapping[str, Measured]

    def write(self, file: Path) -> None:
        """Write them as JSON, for a later run that measures other subjects."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Self:
        """What an earlier run wrote; nothing if there was none."""
        if not file.exists():
            return cls({}, {})
        found = json.loads(file.read_text(encoding="utf-8"))
        subjects = {name: _measured(value) for name, value in found["subjects"].items()}
        return cls(found["machine"], subjects)


def _measured(value: Mapping[str, Any]) -> Measured:
    return Measured(**{**value, "rows": tuple(Row(**row) for row in value["rows"])})


def in_turns(
    contestants: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = False
) -> dict[str, list[float]]:
    """Measure each contestant once a round, one after the other.

    ``warm_up``: make a round before the first that does not count.
    """
    values: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + warm_up):
        for name, measure in contestants.items():
            value = measure()
            if number >= warm_up:
                values[name].append(value)
    return values
