"""Who the worker is that this process belongs to."""

from __future__ import annotations

import mmap
import secrets
from collections.abc import Callable
from typing import Any

from celery.signals import worker_init

_NUMBER_BYTES = 8


class Identity:
    """The worker's id, shared with the pool processes forked from it.

    A worker whose lease was ended goes on under another id, which its pool processes must know at
    once: the number at the id's end is in memory that they share.
    """

    def __init__(self, nodename: str) -> None:
        self._name = f"{nodename}/{secrets.token_hex(4)}"
        self._number = mmap.mmap(-1, mmap.PAGESIZE)
        self._tried = 0

    @property
    def worker_id(self) -> str:
        """Unique and readable, such as ``celery@host/3f9a1c20``."""
        return self._id_in(int.from_bytes(self._number[:_NUMBER_BYTES]))

    def replace(self, register: Callable[[str], None]) -> None:
        """Take another id, once ``register`` has recorded it.

        Until then nothing is claimed in its name: a claim of an unknown worker is an orphan.
        An id whose recording failed, or only seemed to, is never tried again.
        """
        self._tried += 1
        register(self._id_in(self._tried))
        self._number[:_NUMBER_BYTES] = self._tried.to_bytes(_NUMBER_BYTES)

    def _id_in(self, number: int) -> str:
        return f"{self._name}.{number + 1}" if number else self._name


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
