"""A server in a thread of this process, on a free port of the loopback interface."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from taskgate.server.server import MakeDashboard, Surroundings, TaskgateServer
from taskgate.server.settings import ServerSettings

T = TypeVar("T")

SECONDS = 60
"""For whatever the event loop is asked to do."""


class ServerThread:
    """A server with an event loop in a thread of its own; it stops at the end of a ``with``."""

    def __init__(
        self,
        settings: ServerSettings,
        make_dashboard: MakeDashboard | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.settings = settings
        self.address = ""
        """Where it serves, once it does."""
        self.exits = ExitStack()
        """What is closed before it stops."""
        self._make_dashboard = make_dashboard
        self._surroundings = surroundings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="taskgate-server")

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.server = self.run(self._make())
            self.address = self.run(self.server.start())
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.exits.close()
        self.run(self.server.stop())
        self._end_loop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop; what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    async def _make(self) -> TaskgateServer:
        return TaskgateServer(
            self.settings, make_dashboard=self._make_dashboard, surroundings=self._surroundings
        )

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()
