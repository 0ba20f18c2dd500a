"""How many messages a worker takes beyond those that its pool has slots for.

Enough that a pool of quick tasks never waits for the next: as many as its slots finish in about 50
milliseconds. None where tasks take longer, since what is taken here cannot run elsewhere.
"""

from __future__ import annotations

AHEAD_SECONDS = 0.05

LEVELS = (64, 16, 4)
"""Messages a slot: few steps, as a broker may have to be told of each."""

LONG_SECONDS = 0.1
"""What takes longer is no quick task that a busy machine kept waiting."""

_WEIGHT = 0.1


class LookAhead:
    """Judges by the tasks that ran last; a long one counts at once, short ones little by little."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def observe(self, seconds: float) -> None:
        """A task took so long, or has waited so long for a slot."""
        known = self._seconds
        if known is None or seconds > max(known, LONG_SECONDS):
            self._seconds = seconds
        else:
            self._seconds = known + (seconds - known) * _WEIGHT

    @property
    def per_slot(self) -> int:
        """How many messages to take ahead for each slot of the pool."""
        if self._seconds is None:
            return 0
        return next((level for level in LEVELS if self._seconds * level <= AHEAD_SECONDS), 0)
