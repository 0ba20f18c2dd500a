"""A prefork pool that outlives the death of any of its processes.

With a broker that has no file to wait on (the SQL ones), the processes of Celery's pool share one
pipe, and an idle one waits for a job while it holds the pipe's lock. That lock is a semaphore: if
the process is killed nobody gives it back, and no task runs ever after. Ours is one that the
operating system takes back.
"""

from __future__ import annotations

import fcntl
import tempfile
from typing import Any

from billiard.pool import Pool
from celery import bootsteps


class ProcessLock:
    """A lock between a process and its forks that ends with whoever holds it.

    A POSIX record lock: it belongs to a process, so it keeps no two threads of one apart.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - kept open as long as the lock

    def acquire(self) -> None:
        """Wait for the lock and take it."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """Give it back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class LastingPool(Pool):
    """Celery's pool for brokers without a file to wait on; its locks end with their holder."""

    _inqueue: Any
    _outqueue: Any

    def _setup_queues(self) -> None:
        super()._setup_queues()  # type: ignore[misc]  # its types leave it out
        for queue in (self._inqueue, self._outqueue):
            queue._rlock = ProcessLock()  # noqa: SLF001 - billiard takes no locks from outside
            queue._wlock = ProcessLock()  # noqa: SLF001


class PoolStep(bootsteps.Step):
    """Has a prefork worker use it, before its pool starts."""

    requires = ("celery.worker.components:Pool",)

    def create(self, worker: Any) -> None:
        """Say so to Celery's prefork pool; the others have no processes."""
        if hasattr(worker.pool, "BlockingPool"):
            worker.pool.BlockingPool = LastingPool
