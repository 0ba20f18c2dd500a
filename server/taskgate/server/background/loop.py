"""Work that a server does again and again, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Calls a step, pauses for as long as the step says, and calls it again."""

    def __init__(self, name: str, step: Callable[[], float], first_pause: float) -> None:
        """``step`` returns the seconds until it is to be called again, and raises nothing."""
        self._step = step
        self._first_pause = first_pause
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"taskgate-{name}", daemon=True)

    def start(self) -> None:
        """Start to work, after the first pause."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """End after the step under way; give up on it after so many seconds."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = self._first_pause
        while not self._ends.wait(pause):
            pause = self._step()
