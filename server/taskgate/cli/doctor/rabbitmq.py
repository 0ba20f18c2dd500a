"""RabbitMQ as a broker: confirms, and queues that others declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amqp.exceptions import NotFound, PreconditionFailed
from celery import Celery
from kombu import Connection

from taskgate.cli.doctor.finding import Finding, ok, warning


def look(app: Celery, connection: Connection) -> Iterator[Finding]:
    """What this RabbitMQ can do."""
    properties = getattr(connection.connection, "server_properties", {})
    product, version = properties.get("product", "AMQP"), properties.get("version", "")
    yield ok(f"{product} {version}: priorities 0 to 9, fan-out, durable queues".replace("  ", " "))
    if (properties.get("capabilities") or {}).get("publisher_confirms"):
        yield ok("it confirms what it has taken; taskgate waits for that, once a batch")
    else:
        yield warning(
            "it does not confirm what it has taken: a message may be lost on the way, and its task "
            "is then found in the record and published again, from 10 s on",
            "use a broker with publisher confirms",
        )
    for name in app.amqp.queues:
        yield from _queue(app, connection, name)


def _queue(app: Celery, connection: Connection, name: str) -> Iterator[Finding]:
    if not _is_there(connection, name):
        return
    channel: Any = connection.channel()
    try:
        app.amqp.queues[name](channel).declare()
    except PreconditionFailed:
        yield warning(
            f"queue {name!r} was declared otherwise, perhaps without priorities or not durable",
            "once it is empty, delete it: the next worker declares it anew",
        )
    else:
        channel.close()


def _is_there(connection: Connection, name: str) -> bool:
    channel: Any = connection.channel()
    try:
        channel.queue_declare(name, passive=True)
    except NotFound:
        return False
    channel.close()
    return True
