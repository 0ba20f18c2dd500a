"""When the ticks of a schedule are.

Cron expressions are cronsim's: as Debian's cron reads them, five fields, or six with seconds
first. Where clocks are put forward, a tick that falls into the gap comes right after it; where they
are put back, one at a fixed time comes once, and one at each hour or minute goes on without a stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from taskgate.store.record import Timing

_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def zone(name: str) -> ZoneInfo:
    """The time zone with this IANA name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is no IANA time zone such as Europe/Berlin") from exc


def check_cron(expression: str) -> None:
    """See that a cron expression can be read.

    Raises:
        ValueError: it cannot.
    """
    try:
        CronSim(_expression(expression), _EPOCH)
    except CronSimError as exc:
        raise ValueError(str(exc)) from exc


def forwards(timing: Timing, after: datetime) -> Iterator[datetime]:
    """The ticks after a time, the first one first.

    Raises:
        ValueError: the expression or the time zone cannot be read.
    """
    ticks = _cron(timing, after) if timing.cron else _interval(timing, after)
    # Where clocks are put back, cronsim knows a local time by its first occurrence.
    return (tick for tick in ticks if tick > after)


def backwards(timing: Timing, until: datetime) -> Iterator[datetime]:
    """The ticks until a time, this one included, the last one first.

    Raises:
        ValueError: the expression or the time zone cannot be read.
    """
    if timing.cron:
        ticks = _cron(timing, until.replace(microsecond=0) + _SECOND, reverse=True)
    else:
        ticks = _interval(timing, until, reverse=True)
    return (tick for tick in ticks if tick <= until)


def next_tick(timing: Timing, after: datetime) -> datetime | None:
    """The first tick after a time; None if there is none within fifty years.

    Raises:
        ValueError: the expression or the time zone cannot be read.
    """
    return next(forwards(timing, after), None)


def next_ticks(timing: Timing, after: datetime, number: int) -> list[datetime]:
    """As many ticks after a time.

    Raises:
        ValueError: the expression or the time zone cannot be read.
    """
    return list(islice(forwards(timing, after), number))


def _expression(text: str) -> str:
    return _NAMED.get(text.strip().lower(), text)


def _cron(timing: Timing, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    local = start.astimezone(_zone(timing.zone))
    try:
        ticks = CronSim(_expression(timing.cron), local, reverse=reverse)
    except CronSimError as exc:
        raise ValueError(f"{timing.cron!r} is no cron expression: {exc}") from exc
    return (tick.astimezone(UTC) for tick in ticks)


@lru_cache(1_000)
def _zone(name: str) -> tzinfo:
    """UTC has a class of its own, by which cronsim knows that its clocks are never put back."""
    return UTC if name == "UTC" else zone(name)


def _interval(timing: Timing, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    # Whole microseconds: fractions of seconds would drift.
    step = timedelta(seconds=timing.interval)
    number = (start - _EPOCH) // step
    try:
        while True:
            yield _EPOCH + number * step
            number += -1 if reverse else 1
    except OverflowError:  # the calendar's end
        return
