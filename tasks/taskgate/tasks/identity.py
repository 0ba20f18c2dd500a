"""Who the worker is that this process belongs to."""

from __future__ import annotations

import mmap
import secrets
from typing import Any

from celery.signals import worker_init


class Identity:
    """The worker's id, shared with the pool processes forked from it.

    A worker whose lease was ended goes on under another id, which its pool processes must know at
    once: the number at the id's end is in memory that they share.
    """

    def __init__(self, nodename: str) -> None:
        self._name = f"{nodename}/{secrets.token_hex(4)}"
        self._lives = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def worker_id(self) -> str:
        """Unique and readable, such as ``celery@host/3f9a1c20``."""
        lives = int.from_bytes(self._lives[:8])
        return f"{self._name}.{lives + 1}" if lives else self._name

    def be_reborn(self) -> None:
        """Take another id."""
        lives = int.from_bytes(self._lives[:8])
        self._lives[:8] = (lives + 1).to_bytes(8)


_current: Identity | None = None


def current() -> Identity | None:
    """The worker that this process is, or belongs to; None in other programs."""
    return _current


def worker_id(hostname: str | None) -> str:
    """The id to record for what runs here; the host's name outside a worker."""
    return _current.worker_id if _current is not None else hostname or ""


@worker_init.connect
def _take_identity(sender: Any, **_: Any) -> None:
    global _current  # noqa: PLW0603 - a process belongs to one worker
    _current = Identity(sender.hostname)
