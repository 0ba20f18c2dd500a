"""``taskgate doctor``: what a configuration can and cannot do, and whether each part answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and does less than it could, or than one may expect."""
    PROBLEM = "problem"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    text: str
    way_out: str = ""
    """What to do about it."""


def ok(text: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.OK, text)


def warning(text: str, way_out: str) -> Finding:
    """It does less than it could, or than one may expect."""
    return Finding(Level.WARNING, text, way_out)


def problem(text: str, way_out: str) -> Finding:
    """It does not work."""
    return Finding(Level.PROBLEM, text, way_out)
