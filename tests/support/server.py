"""What all the servers have in common."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from support.ports import free_port
from support.processes import Process


class Server(ABC):
    """A server on a loopback port of its own, with all its files in one temporary folder.

    `with Server() as server` starts it and at the end stops it and removes its files. Between, a
    test may `stop`, `kill`, `pause`, `resume` and `start` it again: port and data stay.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, *options: str) -> None:
        """Options go to the server's command line, behind ours."""
        self.options = options
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"taskgate-{self.name}-"))
        self.process: Process | None = None

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers a client."""

    def env(self) -> Mapping[str, str]:
        """Return what the server needs in its environment."""
        return {}

    def user(self) -> str | None:
        """Return whom the server runs as; None: as we do."""
        return None

    def start(self) -> None:
        """Start the server and return when it answers."""
        self.process = Process(
            self.command(),
            log=self.folder / "log",
            env=self.env(),
            cwd=self.folder,
            user=self.user(),
            stop_signal=self.stop_signal,
        )
        self.process.wait_ready(self.is_ready)

    def stop(self) -> None:
        """End the server in good order."""
        self._running().stop()

    def kill(self) -> None:
        """End the server at once."""
        self._running().kill()

    def pause(self) -> None:
        """Freeze the server: connections stay open, nothing is answered."""
        self._running().pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._running().resume()

    def close(self) -> None:
        """End the server if it runs and remove its files."""
        if self.process is not None:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _running(self) -> Process:
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def running_as_root() -> bool:
    return os.geteuid() == 0
