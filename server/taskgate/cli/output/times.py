"""Times as text for people to read."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def span(seconds: float) -> str:
    """A length of time: ``0.4s``, ``12s``, ``5m03s``, ``2h05m``, ``4d02h``."""
    whole = int(max(seconds, 0))
    if whole < 10:
        return f"{max(seconds, 0):.1f}s"
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02}h"


def since(time: datetime) -> str:
    """How long ago it was, by this machine's clock."""
    return span((datetime.now(UTC) - time).total_seconds())


def local_time(time: datetime | None) -> str:
    """A time by this machine's clock and in its time zone."""
    return "" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
