"""A database as a broker: simple, and without some things."""

from __future__ import annotations

from collections.abc import Iterator

from celery import Celery
from kombu import Connection

from taskgate.cli.doctor.finding import Finding, ok, warning
from taskgate.tasks.brokers.sql_broker import IDLE_POLLING_SECONDS


def look(app: Celery, connection: Connection) -> Iterator[Finding]:
    """What a database can do as a broker."""
    del connection
    pause = f"{IDLE_POLLING_SECONDS:g} s"
    yield ok(f"messages are kept in a database, which idle workers ask every {pause}")
    yield warning(
        "it has no priorities: tasks start in the order in which they came",
        "use redis:// or amqp:// if you need them",
    )
    yield warning(
        "it has no fan-out: `celery inspect` and `celery control` find no worker "
        "(`taskgate workers` does, and aborts work)",
        "use redis:// or amqp:// if you need them",
    )
    if "sqlite" in str(app.conf.broker_url):
        yield ok("SQLite: for servers and workers on this machine")
