"""Python runs this when it starts, in processes with this folder on their PYTHONPATH.

`TASKGATE_FAULTY_COMMITS=0.05:7` (rate and seed) makes so many of a process's transactions fail:
half of them before anything was done, half after the commit, which is what a cut connection is.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SPARED_SERVER, SPARED_WORKER = 20, 150
"""Transactions of a process that starts: it says so and ends if they fail, as it should."""


def _install(rate: float, seed: str) -> None:
    from taskgate.store.database.engine import Database  # noqa: PLC0415 - only where it is asked for
    from taskgate.store.errors import StoreUnavailable  # noqa: PLC0415

    really: Any = Database._connect
    dice = random.Random(f"{seed} {os.getpid()}")
    spared = SPARED_SERVER if "server" in sys.orig_argv else SPARED_WORKER

    def is_hit() -> bool:
        return spared <= 0 and dice.random() < rate / 2

    @contextmanager
    def connect(self: Any, mode: str) -> Iterator[Any]:
        nonlocal spared
        spared -= 1
        if is_hit():
            raise StoreUnavailable("a fault on purpose, before")
        with really(self, mode) as tx:
            yield tx
        if mode != "read" and is_hit():
            raise StoreUnavailable("a fault on purpose, after the commit")

    def in_child() -> None:
        nonlocal spared
        spared = 0
        dice.seed(f"{seed} {os.getpid()}")

    Database._connect = connect  # type: ignore[method-assign]
    os.register_at_fork(after_in_child=in_child)


if _given := os.environ.get("TASKGATE_FAULTY_COMMITS"):
    _rate, _, _seed = _given.partition(":")
    _install(float(_rate), _seed)
