"""A program that believes to be in a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

from support.waiting import wait_until


class Terminal:
    """A program in a terminal so many columns wide; ended with the `with`."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], *, columns: int = 120
    ) -> None:
        self._keyboard, its_end = pty.openpty()
        self._written = bytearray()
        self._popen = subprocess.Popen(
            command,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **env},
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            start_new_session=True,
        )
        os.close(its_end)
        self._reader = Thread(target=self._read)
        self._reader.start()

    @property
    def screen(self) -> str:
        """All that was written so far, control sequences included."""
        return self._written.decode(errors="replace")

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Return when the text was written."""
        wait_until(lambda: text in self.screen, timeout, f"{text!r} on the screen")

    def send_signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end and its last words; returns the exit code."""
        code = self._popen.wait(timeout)
        self._reader.join(timeout)
        return code

    def _read(self) -> None:
        with suppress(OSError):  # EIO: the program closed its end
            while chunk := os.read(self._keyboard, 4096):
                self._written += chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._popen.kill()
        self.wait()
        os.close(self._keyboard)
