"""This machine's clock beside the database's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from taskgate.cli.doctor.finding import Finding, ok, warning
from taskgate.store import clock
from taskgate.store.engine import Database

_MUCH_SECONDS = 1.0


def look_at_clock(database: Database) -> Iterator[Finding]:
    """How far this machine's clock is off.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with database.read() as tx:
        clock.read(tx)  # the first one opens the connection
        before = datetime.now(UTC)
        there = clock.read(tx)
        after = datetime.now(UTC)
    slow = (after - before).total_seconds() / 2
    offset = (there - before).total_seconds() - slow
    said = f"{abs(offset):.3f} s {'behind' if offset > 0 else 'ahead of'} the database's"
    if abs(offset) - slow <= _MUCH_SECONDS:
        yield ok(f"this machine's clock is {said}")
    else:
        yield warning(
            f"this machine's clock is {said}; leases and due times go by the database, but logs, "
            "and the ages that this command shows, are off",
            "set the clock by NTP on both machines",
        )
