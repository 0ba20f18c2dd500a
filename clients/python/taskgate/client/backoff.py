"""How long to pause before the next request to a server that is away."""

from __future__ import annotations

import math
import random
import time

from taskgate.client.errors import TaskgateError

_FIRST, _LONGEST = 0.1, 2.0


class Backoff:
    """Pauses that double from 0.1 s to 2 s, with jitter."""

    def __init__(self) -> None:
        self._next = _FIRST

    def reset(self) -> None:
        """The server has answered: the next pause is short again."""
        self._next = _FIRST

    def after(self, error: TaskgateError) -> float:
        """Seconds to pause, beyond those that the server asked for: many may have been told so."""
        pause = self._next * random.uniform(0.5, 1)  # noqa: S311 - it keeps no secret
        self._next = min(self._next * 2, _LONGEST)
        return (error.retry_after or 0.0) + pause


class Deadline:
    """A point in time by which something has to be over."""

    def __init__(self, timeout: float | None) -> None:
        """``timeout``: seconds from now; None is never."""
        self._end = math.inf if timeout is None else time.monotonic() + timeout

    @property
    def remaining(self) -> float:
        """Seconds until then, never less than none."""
        return max(self._end - time.monotonic(), 0.0)
