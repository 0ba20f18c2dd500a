"""How many calls may be under way, and what is said of those that are refused."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from taskgate.server.errors import TooManyCalls

logger = logging.getLogger(__name__)

LOG_SECONDS = 5.0
"""Refusals are logged one by one only if they are this far apart."""

CALLER_SHARE = 0.75
"""Of all calls, that one caller may have under way where callers are known by their tokens."""

OPEN_SHARE = 0.1
"""Beside all calls, for open health watches, which need no token."""


class CallLimits:
    """Counts the calls under way, in all and by caller."""

    def __init__(self, max_calls: int, *, callers_are_known: bool) -> None:
        """``max_calls``: at once; health checks do not count."""
        self._max_calls = max_calls
        self._max_of_caller = int(max_calls * CALLER_SHARE) if callers_are_known else max_calls
        self._max_open = max(1, int(max_calls * OPEN_SHARE))
        self._calls = 0
        self._open_calls = 0
        self._of_caller: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """How many are under way, health checks excepted."""
        return self._calls

    def admit(self, caller: str) -> None:
        """Count the call that the current asyncio task serves, until that task ends.

        Raises:
            TooManyCalls: as many as may be are under way.
        """
        if self._calls >= self._max_calls:
            raise TooManyCalls(self._max_calls)
        if self._of_caller[caller] >= self._max_of_caller:
            raise TooManyCalls(self._max_of_caller, caller)
        self._calls += 1
        self._of_caller[caller] += 1
        _when_done(lambda _: self._leave(caller))

    def admit_open(self) -> None:
        """As ``admit``, for a health watch.

        Raises:
            TooManyCalls: as many as may be are under way.
        """
        if self._open_calls >= self._max_open:
            raise TooManyCalls(self._max_open)
        self._open_calls += 1
        _when_done(self._leave_open)

    def _leave(self, caller: str) -> None:
        self._calls -= 1
        self._of_caller[caller] -= 1
        if not self._of_caller[caller]:
            del self._of_caller[caller]

    def _leave_open(self, _task: object) -> None:
        self._open_calls -= 1


class RefusalLog:
    """Logs refusals at a bounded rate: the first at once, what follows it as numbers."""

    def __init__(self) -> None:
        self._since_last: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, level: int, reason: str, text: str) -> None:
        """Log a refusal, or count it. ``reason``: what it is counted under."""
        if not logger.isEnabledFor(level):
            return
        if self._timer is None:
            logger.log(level, "%s", text)
            self._restart()
        else:
            self._since_last[reason] += 1

    def close(self) -> None:
        """Log what was only counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._log_numbers()

    def _restart(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOG_SECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._log_numbers():
            self._restart()

    def _log_numbers(self) -> bool:
        counts, self._since_last = self._since_last, Counter()
        if counts:
            numbers = ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())
            logger.warning("refused since the last line: %s", numbers)
        return bool(counts)


def _when_done(callback: Callable[[asyncio.Task[Any]], object]) -> None:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is served by an asyncio task of its own")
    task.add_done_callback(callback)
