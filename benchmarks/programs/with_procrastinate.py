"""procrastinate on PostgreSQL: its app, and a program that defers NUMBER jobs."""

from __future__ import annotations

import os
import sys

import procrastinate

import work

DATABASE = os.environ["BENCH_BROKER"]

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DATABASE))


async def nothing(number: int) -> None:
    """A coroutine: procrastinate would run a function in a thread, which costs it more."""
    work.nothing(number)


task = app.task(name="nothing")(nothing)


if __name__ == "__main__":
    connector = procrastinate.SyncPsycopgConnector(conninfo=DATABASE)
    with app.replace_connector(connector) as sync_app, sync_app.open():
        numbers = range(int(sys.argv[1]))
        sync_app.tasks["nothing"].batch_defer(*({"number": n} for n in numbers))
