"""Priorities: 0 to 9 and 9 first, whatever the broker's own order is."""

from __future__ import annotations

from celery import Celery

HIGHEST = 9
MIDDLE = 4


def zero_goes_first(app: Celery) -> bool:
    """Whether the app's broker counts priorities the other way round, as Redis does."""
    return is_redis(str(app.conf.broker_url or ""))


def is_redis(broker_url: str) -> bool:
    """Whether the broker is Redis."""
    return broker_url.startswith(("redis", "sentinel"))


def to_broker(priority: int, *, zero_first: bool) -> int:
    """The broker's number for our priority."""
    return HIGHEST - priority if zero_first else priority


def from_broker(priority: int | None, *, zero_first: bool) -> int:
    """Our priority for the broker's number; the middle for none."""
    if priority is None:
        return MIDDLE
    return to_broker(min(max(priority, 0), HIGHEST), zero_first=zero_first)
