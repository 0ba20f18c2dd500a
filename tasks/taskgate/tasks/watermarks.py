"""How far this process has claimed what was published: what the outbox finds lost messages by."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from taskgate.store import outbox
from taskgate.store.outbox import Subqueue
from taskgate.store.transitions import Claim

PERIOD_SECONDS = 1.0
"""How often a process that claims records how far it is, at most."""


class Watermarks:
    """The latest publish time claimed of each subqueue. Threads may share it."""

    def __init__(self) -> None:
        self._claimed: dict[Subqueue, datetime] = {}
        self._lock = threading.Lock()
        self._record_at = time.monotonic() + PERIOD_SECONDS

    def advance(self, tx: Connection, claims: Iterable[Claim]) -> None:
        """Remember claims; record them with this transaction if the last time is long ago."""
        with self._lock:
            for claim in claims:
                self._remember(claim)
            if time.monotonic() < self._record_at:
                return
            self._record_at = time.monotonic() + PERIOD_SECONDS
            claimed, self._claimed = self._claimed, {}
        outbox.advance_watermarks(tx, claimed)

    def _remember(self, claim: Claim) -> None:
        at, known = claim.published_at, self._claimed.get(claim.subqueue)
        if at is not None and (known is None or known < at):
            self._claimed[claim.subqueue] = at
