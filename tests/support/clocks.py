"""Processes whose clocks are wrong."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from support.require import require

_SOURCE = Path(__file__).with_name("clock_off.c")


def clock_off(by: timedelta, folder: Path) -> dict[str, str]:
    """The environment of a process whose wall clock is wrong by so much."""
    library = folder / "clock_off.so"
    if not library.exists():
        subprocess.run(
            [require("cc"), "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"],
            check=True,
            timeout=60,
        )
    return {"LD_PRELOAD": str(library), "CLOCK_OFF_SECONDS": str(int(by.total_seconds()))}
