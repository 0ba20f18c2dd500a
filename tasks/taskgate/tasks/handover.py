"""What a worker's main process hands over with a message to whoever runs its task."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from taskgate.store.transitions import Claim

_KEY = "taskgate_handover"


@dataclass(frozen=True, slots=True)
class Handover:
    """An attempt that the worker's main process has claimed."""

    claim: Claim
    claimed_at: float
    """By the monotonic clock, which all processes of a machine share."""
    start: Callable[[], bool] | None = None
    """Whether the attempt may still start, in a pool that cannot take back what it was given."""


def put(request: MutableMapping[str, Any], handover: Handover) -> None:
    """Hand over with the request."""
    request[_KEY] = handover


def take(request: MutableMapping[str, Any]) -> Handover | None:
    """What was handed over with the request; None if nothing was."""
    found = request.pop(_KEY, None)
    return found if isinstance(found, Handover) else None  # no message can hold one
