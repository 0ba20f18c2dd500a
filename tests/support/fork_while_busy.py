"""Forks again and again while threads use SQLite; prints how many children could use it, too.

`python fork_while_busy.py DATABASE_URL FORKS`. A program of its own: pytest's process has threads
that take no fork.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from sqlalchemy import text

from taskgate.store.database.engine import Database

CHILD_SECONDS = 10


def use(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("SELECT count(*) FROM sqlite_master"))


def use_all_the_time(database: Database, ends: threading.Event) -> None:
    while not ends.is_set():
        with database.read() as tx:
            tx.execute(text("SELECT count(*) FROM sqlite_master"))


def connect_all_the_time(url: str, ends: threading.Event) -> None:
    while not ends.is_set():
        database = Database(url)
        use(database)
        database.close()


def child_succeeds(database: Database) -> bool:
    pid = os.fork()
    if pid == 0:
        signal.alarm(CHILD_SECONDS)  # ends a child that hangs
        database.forget_connections()
        use(database)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def main(url: str, forks: int) -> None:
    database, ends = Database(url), threading.Event()
    use(database)
    for _ in range(2):
        threading.Thread(target=use_all_the_time, args=(database, ends), daemon=True).start()
    threading.Thread(target=connect_all_the_time, args=(url, ends), daemon=True).start()
    print(sum(child_succeeds(database) for _ in range(forks)))
    ends.set()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
