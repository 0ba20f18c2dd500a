"""Keeping forks and SQLite apart.

SQLite's library has locks that all connections of a process share. A process that is forked while
another thread holds one is born with it held, for ever, and hangs at its first transaction: a pool
process that a worker starts in place of a dead one, for instance. So forks wait until no thread of
the process is using SQLite.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Self

from sqlalchemy import Engine, Pool, event
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

PATIENCE_SECONDS = 10.0
"""How long a fork waits at most: SQLite keeps its own locks for much less than a transaction."""


class _Guard:
    """Counts who uses SQLite, and lets a fork wait for none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._forking = False
        self._here = threading.local()

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        depth = getattr(self._here, "depth", 0)
        with self._changed:
            if not depth:  # who is inside already must come out before a fork goes on
                self._changed.wait_for(lambda: not self._forking)
            self._users += 1
        self._here.depth = depth + 1

    def leave(self) -> None:
        with self._changed:
            self._users -= 1
            self._changed.notify_all()
        self._here.depth = getattr(self._here, "depth", 1) - 1

    def before_fork(self) -> None:
        with self._changed:
            self._forking = True
            self._changed.wait_for(lambda: self._users <= 0, PATIENCE_SECONDS)

    def after_fork_in_parent(self) -> None:
        with self._changed:
            self._forking = False
            self._changed.notify_all()

    def after_fork_in_child(self) -> None:
        self.__init__()  # type: ignore[misc]  # its threads, and their locks, are not here


_guard = _Guard()

os.register_at_fork(
    before=_guard.before_fork,
    after_in_parent=_guard.after_fork_in_parent,
    after_in_child=_guard.after_fork_in_child,
)


class ForkAwarePool(QueuePool):
    """Connections of SQLite: forks of this process wait while one is opened, used or closed."""

    def connect(self) -> PoolProxiedConnection:
        with _guard:  # what a new connection is prepared with are transactions, too
            return super().connect()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        with _guard:  # it closes the connection if the pool is full
            super()._do_return_conn(record)

    def dispose(self) -> None:
        with _guard:
            super().dispose()


@event.listens_for(ForkAwarePool, "checkout")
def _checked_out(_connection: Any, _entry: ConnectionPoolEntry, _proxy: Any) -> None:
    _guard.enter()


@event.listens_for(ForkAwarePool, "checkin")
def _checked_in(_connection: Any, _entry: ConnectionPoolEntry) -> None:
    _guard.leave()


_left_behind: list[Pool] = []


def leave_behind(engine: Engine) -> None:
    """Call in a forked child: the engine opens connections of its own.

    The parent's are kept, not dropped: a child must not use a SQLite connection of its parent, not
    even to close it, and Python closes what nobody refers to.
    """
    _left_behind.append(engine.pool)
    engine.dispose(close=False)
