"""Task types with each kind of signature, which say what their arguments arrived as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from taskgate.tasks import TaskgateTask, task


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: int = 0


class Line(BaseModel, extra="forbid"):
    ends: list[Point] = Field(min_length=2)
    label: str | None = None
    width: float = Field(default=1.0, gt=0)


def told(*values: Any) -> list[str]:
    """What Python says of each."""
    return [repr(value) for value in values]


@task(name="typed.plain")
def plain(whole: int, fraction: float, text: str, flag: bool = False) -> list[str]:
    """Take the plain types."""
    return told(whole, fraction, text, flag)


@task(name="typed.unannotated")
def unannotated(first, second=2):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, RUF100
    """Take anything."""
    return told(first, second)


@task(name="typed.positional_only")
def positional_only(x: int, /, y: int) -> list[str]:
    """Take x by position only."""
    return told(x, y)


@task(name="typed.keyword_only")
def keyword_only(*, x: int, y: int = 5) -> list[str]:
    """Take both by name only."""
    return told(x, y)


@task(name="typed.rest")
def rest(first: str, *numbers: int, **dates: date) -> list[str]:
    """Take as many as there are."""
    return told(first, numbers, dates)


@task(name="typed.bound", bind=True)
def bound(self: TaskgateTask, x: int) -> list[str]:
    """Take itself first."""
    return told(x, self.name)


@task(name="typed.retried", autoretry_for=(OSError,), max_retries=2)
def retried(x: int = 1) -> list[str]:
    """Take what a wrapper of Celery's passes on."""
    return told(x)


@task(name="typed.scalars")
def scalars(
    when: datetime, amount: Decimal, id_: UUID, colour: Colour, pause: timedelta = timedelta(0)
) -> list[str]:
    """Take what JSON has no types for."""
    return told(when, amount, id_, colour, pause)


@task(name="typed.unions")
def unions(
    number: int | None, either: int | str = 0, mode: Literal["fast", "slow"] = "fast"
) -> list[str]:
    """Take one of several."""
    return told(number, either, mode)


@task(name="typed.models")
def models(line: Line, points: dict[str, Point], best: Point | None = None) -> list[str]:
    """Take a Pydantic model and dataclasses."""
    return told(line, points, best)


@task(name="typed.bounded")
def bounded(
    percent: Annotated[int, Field(ge=0, le=100)],
    code: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "ABC",
    tags: Annotated[set[str], Field(max_length=2)] = frozenset(),  # type: ignore[assignment]
) -> list[str]:
    """Take values within bounds."""
    return told(percent, code, sorted(tags))


class Broken(Exception):
    """What typed.breaks raises."""


class BrokenForGood(Broken):
    """What is not worth trying again."""


@task(name="typed.breaks", bind=True, autoretry_for=(Broken,), max_retries=9, retry_backoff=30)
def breaks(self: TaskgateTask, times: int, for_good: bool = False) -> int:
    """Fail so often; then return the number of the attempt."""
    if self.request.retries < times:
        raise BrokenForGood("for good") if for_good else Broken(f"time {self.request.retries + 1}")
    return int(self.request.retries) + 1


@task(name="typed.reports", bind=True)
def reports(self: TaskgateTask, metas: list[Any], state: str = "PROGRESS") -> int:
    """Report each as Celery's users do, without a pause; returns how many there were."""
    for meta in metas:
        self.update_state(state=state, meta=meta)
    return len(metas)


@task(name="typed.hammers", bind=True)
def hammers(self: TaskgateTask, seconds: float) -> int:
    """Report progress as fast as a loop goes; returns how often."""
    until = datetime.now().astimezone() + timedelta(seconds=seconds)
    count = 0
    while datetime.now().astimezone() < until:
        count += 1
        self.update_state(
            state="PROGRESS", meta={"current": count, "total": 0, "message": f"step {count}"}
        )
    return count
