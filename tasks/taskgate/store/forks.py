"""Keeping forks and SQLite apart.

SQLite's library has locks that all connections of a process share. A process that is forked while
another thread holds one is born with it held, for ever, and hangs at its first transaction: a pool
process that a worker starts in place of a dead one, for instance. So forks wait until no thread of
the process is using SQLite.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

PATIENCE_SECONDS = 10.0
"""How long a fork waits at most: SQLite keeps its own locks for much less than a transaction."""


class _Guard:
    """Counts who uses SQLite, and lets a fork wait for none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._forking = False
        self._here = threading.local()

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


def keep_apart(engine: Engine) -> None:
    """Have forks of this process wait while a connection of the SQLite engine is in use."""
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _checked_out)
    event.listen(engine, "checkin", _checked_in)


def _connect(dialect: Dialect, _entry: ConnectionPoolEntry, args: Any, options: Any) -> Any:
    _guard.enter()
    try:
        return dialect.connect(*args, **options)
    finally:
        _guard.leave()


def _checked_out(_connection: Any, _entry: ConnectionPoolEntry, _proxy: Any) -> None:
    _guard.enter()


def _checked_in(_connection: Any, _entry: ConnectionPoolEntry) -> None:
    _guard.leave()
