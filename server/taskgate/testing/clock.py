"""A record's clock that can be put forward."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from taskgate.store.database.engine import Database


class RecordClock:
    """The clock of a SQLite record: leases and due times are judged by nothing else."""

    def __init__(self, database: Database) -> None:
        """Call before the database is connected to."""
        self._ahead = timedelta(0)
        self._lock = threading.Lock()
        self._plain = sqlite3.connect(":memory:", check_same_thread=False)
        event.listen(database.engine, "connect", self._install)

    def advance(self, by: timedelta) -> None:
        """Put it forward.

        Raises:
            ValueError: ``by`` is negative: what has happened would be in the future.
        """
        if by < timedelta(0):
            raise ValueError(f"the clock goes forward only, not by {by}")
        self._ahead += by

    def close(self) -> None:
        """Forget it."""
        self._plain.close()

    def _install(self, connection: Any, _entry: Any) -> None:
        connection.create_function("strftime", -1, self._strftime)

    def _strftime(self, *arguments: Any) -> Any:
        """SQLite's own, but for the meaning of "now"."""
        if "now" in arguments:
            arguments = (*arguments, f"{self._ahead.total_seconds():+.3f} seconds")
        marks = ", ".join("?" * len(arguments))
        with self._lock:
            return self._plain.execute(f"SELECT strftime({marks})", arguments).fetchone()[0]
