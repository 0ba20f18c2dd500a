"""Saying that a part is ready, by systemd's notify protocol (sd_notify).

A server that systemd starts with ``Type=notify`` says so to systemd; one that ``taskgate up``
started says so to ``taskgate up``.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

_VARIABLE = "NOTIFY_SOCKET"
_ADDRESS = "X_TASKGATE_ADDRESS"
_DASHBOARD = "X_TASKGATE_DASHBOARD"


def notify_ready(address: str, dashboard_url: str = "") -> None:
    """Tell whoever started this process that it serves on ``address``, if they want to know."""
    target = os.environ.get(_VARIABLE)
    if not target:
        return
    # A leading @ stands for the zero byte of Linux's abstract names.
    name = "\0" + target[1:] if target.startswith("@") else target
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
        notifier.sendto(
            f"READY=1\nSTATUS=serving on {address}\n{_ADDRESS}={address}\n"
            f"{_DASHBOARD}={dashboard_url}".encode(),
            name,
        )


class Readiness:
    """Listens for the word that a part is ready."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="taskgate-")
        self._path = Path(self._folder.name) / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(self._path))
        self.dashboard_url = ""
        """Where the dashboard of the part is that was ready last; empty if it has none."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the part's environment must hold."""
        return {_VARIABLE: str(self._path)}

    def address(self) -> str | None:
        """The address that the part has said it serves on; None if it has said nothing new."""
        try:
            words = self._socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return None
        values = dict(word.split("=", 1) for word in words if "=" in word)
        self.dashboard_url = values.get(_DASHBOARD, "")
        return values.get(_ADDRESS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._folder.cleanup()
