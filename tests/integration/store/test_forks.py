"""A process that is forked while SQLite is in use can use it, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import fork_while_busy

FORKS = 300


def test_no_child_hangs(sqlite_url: str) -> None:
    script = Path(fork_while_busy.__file__)
    command: list[str | Path] = [sys.executable, script, sqlite_url, str(FORKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert int(done.stdout) == FORKS
