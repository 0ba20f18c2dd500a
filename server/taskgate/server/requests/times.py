"""Durations and times in requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from taskgate.server.requests.violations import Violations

LONGEST = timedelta(days=3660)
"""Ten years: whatever is longer is a mistake, and could leave the calendar when added to."""

LATEST = datetime(3000, 1, 1, tzinfo=UTC)

_NANOSECONDS = 1_000_000_000


def duration(
    message: Duration, field: str, violations: Violations, *, zero: bool = True
) -> timedelta:
    """A length of time from nothing (or more than nothing, unless ``zero``) to ten years."""
    length = timedelta(seconds=message.seconds) if _in_range(message.seconds) else LONGEST * 2
    length += timedelta(microseconds=message.nanos // 1_000)
    if abs(message.nanos) >= _NANOSECONDS or message.seconds * message.nanos < 0:
        violations.add(field, f"nanos {message.nanos} does not fit seconds {message.seconds}")
    elif length < timedelta(0) or message.seconds < 0:
        violations.add(field, f"{_seconds(message)} s is negative; it must be 0 s or longer")
    elif length > LONGEST:
        violations.add(field, f"{_seconds(message)} s is longer than ten years")
    elif not zero and message.seconds == 0 and message.nanos == 0:
        violations.add(field, "0 s is too short; leave the field out for none")
    return length


def timestamp(message: Timestamp, field: str, violations: Violations) -> datetime:
    """A time from year 1 to the year 3000."""
    try:
        time = message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        violations.add(field, f"{message.seconds} s and {message.nanos} ns from 1970 is no time")
        return LATEST
    if time > LATEST:
        violations.add(field, f"{time:%Y-%m-%d} is later than the year 3000")
    return time


def _in_range(seconds: int) -> bool:
    return abs(seconds) <= LONGEST.total_seconds()


def _seconds(message: Duration) -> str:
    return f"{message.seconds + message.nanos / _NANOSECONDS:g}"
