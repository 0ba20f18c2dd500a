"""A whole taskgate beside a test: `taskgate up` with a database and a broker of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from support.processes import Process

_READY = re.compile(r"^taskgate serves on (\S+)\. ", re.MULTILINE)


class Up(Process):
    """`taskgate up` in a folder, on SQLite there unless `env` says otherwise; ready when made."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        address: str = "127.0.0.1:0",
        env: Mapping[str, str] | None = None,
        python: str | Path = sys.executable,
    ) -> None:
        command = [python, "-m", "taskgate.cli", "up", "--address", address, *options]
        super().__init__(command, log=folder / "up.log", cwd=folder, env=env)
        self.wait_ready(lambda: _READY.search(self.output) is not None, timeout=100)

    @property
    def address(self) -> str:
        """Where it serves."""
        ready = _READY.findall(self.output)
        return str(ready[-1])
