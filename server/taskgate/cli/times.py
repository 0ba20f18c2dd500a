"""Durations and times on the command line.

A duration is ``10``, ``10s``, ``1.5m``, ``2h``, ``1d``; a time is ``2h`` (ago), ``2026-11-22`` or
``2026-11-22T10:00``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 315_576_000_000
"""What a protobuf Duration can hold: ten thousand years."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


class Seconds(click.ParamType[float]):
    """A duration, in seconds for the program."""

    name = "duration"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The duration in seconds."""
        if not isinstance(value, str):
            return value
        match = _DURATION.fullmatch(value.strip().lower())
        if match is None or match[2] not in _UNITS:
            self.fail(f"{value!r} is not a duration such as 10, 10s, 1.5m, 2h or 1d", param, ctx)
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds > _LONGEST:
            self.fail(f"{value!r} is longer than {_LONGEST:,} seconds", param, ctx)
        return seconds


SECONDS = Seconds()


class When(click.ParamType[datetime]):
    """A time: how long ago it was, or itself; local unless it says otherwise."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The time, in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            return self._ago(value, param, ctx)

    def _ago(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.now(UTC) - timedelta(seconds=SECONDS.convert(text, None, None))
        except (click.BadParameter, OverflowError):
            self.fail(f"{text!r} is no time such as 2h (ago) or 2026-11-22T10:00", param, ctx)


WHEN = When()
