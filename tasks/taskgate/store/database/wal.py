"""SQLite's write-ahead log, where readers do not wait for the writer."""

from __future__ import annotations

import sqlite3
import time

_RETRY_SECONDS = 0.01


def enable(cursor: sqlite3.Cursor, *, wait_seconds: float) -> None:
    """Switch the file to it, for good.

    Connections that switch a new file at once, or that open it while its last one closes, can
    deadlock: SQLite answers "busy" to one of them, whatever its busy timeout. So it is repeated
    here, for ``wait_seconds``.

    Raises:
        sqlite3.OperationalError: the file stayed locked, or cannot be written.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
