"""``python -m taskgate.cli``: the command for whoever has Python but not its scripts on PATH."""

from __future__ import annotations

from taskgate.cli.main import main

main()
