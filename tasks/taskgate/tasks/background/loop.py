"""Work that is done again and again in a thread of its own, and whose failures are seen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from taskgate.store.errors import StoreUnavailable

logger = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 5.0


class Loop:
    """Calls a step, pauses for as long as the step says, and calls it again.

    A step that raises is logged, counted in ``failures``, and called again after a pause that
    doubles. Only what is no ``Exception`` ends the loop: then ``is_broken``.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], float | None],
        *,
        first_pause: float = 0.0,
        longest_backoff: float = LONGEST_BACKOFF_SECONDS,
        is_idle: Callable[[], bool] = lambda: True,
    ) -> None:
        """``step`` returns seconds until its next call; None: until ``wake``.

        ``longest_backoff``: seconds between tries of a step that fails again and again, at most.
        ``is_idle``: whether nothing is left to do before the loop may stop.
        """
        self.name = name
        self.failures = 0
        """Of all steps since the start."""
        self.is_broken = False
        """It has ended, though nobody stopped it."""
        self._step = step
        self._pause: float | None = first_pause
        self._is_idle = is_idle
        self._longest_backoff = longest_backoff
        self._backoff = FIRST_BACKOFF_SECONDS
        self._stopping = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"taskgate-{name}", daemon=True)

    def start(self) -> None:
        """Begin, after the first pause."""
        self._thread.start()

    def wake(self) -> None:
        """Have the step called now."""
        if not self._woken.is_set():  # which takes no lock
            self._woken.set()

    def stop(self, seconds: float) -> bool:
        """Do what is left, then end; give up after so many seconds. Whether it has ended."""
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self._wait():
                self._pause = self._guarded_step()
        except BaseException:
            self.is_broken = True
            logger.critical("%s has ended and does not go on", self.name, exc_info=True)
            raise

    def _wait(self) -> bool:
        """Pause until the next step, if there is to be one."""
        if self._stopping:
            return not self._is_idle()
        self._woken.wait(self._pause)
        self._woken.clear()
        return not (self._stopping and self._is_idle())

    def _guarded_step(self) -> float | None:
        try:
            pause = self._step()
        except StoreUnavailable as exc:
            logger.warning("%s waits: %s", self.name, exc)
            return self._failed()
        except Exception:
            logger.exception("%s failed; it goes on", self.name)
            return self._failed()
        self._backoff = FIRST_BACKOFF_SECONDS
        return pause

    def _failed(self) -> float:
        self.failures += 1
        pause, self._backoff = self._backoff, min(2 * self._backoff, self._longest_backoff)
        return pause
