"""How tasks ended, as an exit code."""

from __future__ import annotations

from collections.abc import Iterable

from taskgate.cli import exits
from taskgate.client import State

_EXIT_CODES = {
    State.SUCCEEDED: exits.OK,
    State.FAILED: exits.FAILED,
    State.ABORTED: exits.NOT_RUN,
    State.EXPIRED: exits.NOT_RUN,
}


def exit_code(ends: Iterable[State]) -> int:
    """The code for final states: the one of a FAILED task stands before all others."""
    codes = {_EXIT_CODES[state] for state in ends}
    return next((code for code in (exits.FAILED, exits.NOT_RUN) if code in codes), exits.OK)
