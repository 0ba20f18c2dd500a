"""Waiting that outlives a server's restart, and ends in time."""

from __future__ import annotations

import math
import time

from taskgate.client.errors import TaskgateError, WaitTimeout

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
"""Seconds between requests to a server that is away."""


class Patience:
    """How long to wait in all, and how long before the next request."""

    def __init__(self, timeout: float | None) -> None:
        """``timeout``: seconds; None waits for ever."""
        self._timeout = timeout
        self._end = math.inf if timeout is None else time.monotonic() + timeout
        self._pause = _FIRST_PAUSE

    @property
    def left(self) -> float:
        """Seconds until the time is over, never less than none."""
        return max(self._end - time.monotonic(), 0.0)

    def renew(self) -> None:
        """The server has answered: the next pause is short again."""
        self._pause = _FIRST_PAUSE

    def pause(self, waited_for: str, away: TaskgateError | None) -> None:
        """Pause before the next request, longer each time that the server was ``away``.

        Raises:
            WaitTimeout: the time is over.
        """
        left = self.left
        if left <= 0:
            raise WaitTimeout(f"{waited_for} not ended in {self._timeout:g} s") from away
        time.sleep(min(self._pause, left))
        if away is not None:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
