"""What is SQLite's own: many connections that open one new file at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from taskgate.store.database import wal
from taskgate.store.database.engine import Database

FILES, CONNECTIONS = 150, 8


def test_all_who_open_a_new_file_at_once_get_in(tmp_path: Path) -> None:
    """Without a second try about one in 600 found the database locked."""
    at_once = Barrier(CONNECTIONS)

    def open_and_close(number: int) -> None:
        database = Database(f"sqlite:///{tmp_path}/{number}.db")
        at_once.wait(timeout=60)
        with database.write() as tx:
            tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS opened (by_someone)")
        database.close()

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for number in range(FILES):
            list(threads.map(open_and_close, [number] * CONNECTIONS))


def test_a_file_that_stays_locked_is_said_to_be(tmp_path: Path) -> None:
    path = str(tmp_path / "locked.db")
    with sqlite3.connect(path) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        other = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            wal.enable(other.cursor(), wait_seconds=0.1)
        other.close()
    holder.close()
