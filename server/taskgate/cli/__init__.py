"""The ``taskgate`` command: what starts the parts, and a client for the terminal."""

from __future__ import annotations

from taskgate.cli.main import main

__all__ = ["main"]
