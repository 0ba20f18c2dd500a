"""The broker and the mirror: whether they answer, and what the broker of each kind can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amqp.exceptions import NotFound, PreconditionFailed
from celery import Celery
from kombu import Connection
from redis.exceptions import ResponseError
from sqlalchemy import make_url

from taskgate.cli.doctor import Finding, ok, problem, warning
from taskgate.cli.doctor.record import sqlite_file
from taskgate.store.database.urls import hide_passwords
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers import connecting
from taskgate.tasks.brokers.connecting import BrokerUnavailable, queue_lengths
from taskgate.tasks.brokers.sql import IDLE_POLLING_SECONDS, is_sql
from taskgate.tasks.mirror import Mirror, MirrorUnavailable
from taskgate.tasks.settings import Settings

_PUBLISHED_AGAIN = "what waited is found in the record and published again, from 10 s on"


def check_broker(settings: Settings) -> Iterator[Finding]:
    """What it can do, and whether it answers."""
    url = settings.celery_broker_url
    if _is_absent(url):
        yield ok(f"{url} is not there yet: whoever starts first makes it")
        return
    app = create_app(settings)
    away = connecting.errors(app)
    try:
        connection = connecting.connect(app)
        try:
            yield from _kind(app, connection, hide_passwords(url))
            connection.close()
        except BaseException:
            connecting.let_go(connection)
            raise
    except away as error:
        yield problem(
            f"the broker at {hide_passwords(url)} does not answer: {error!r}; what is submitted is "
            "kept, and sent when it is back",
            "start it, or set CELERY_BROKER_URL",
        )
        return
    yield from _backlog(app, settings.taskgate_queues)


def _kind(app: Celery, connection: Connection, url: str) -> Iterator[Finding]:
    check = _CHECKS.get(connection.transport.driver_type)
    if check is not None:
        yield ok(f"{url} answers")
        yield from check(app, connection)
        return
    yield warning(
        f"{url} answers, and nobody has tried taskgate with brokers of its kind",
        "use redis://, amqp:// or sqla+…",
    )


def _backlog(app: Celery, queues: tuple[str, ...]) -> Iterator[Finding]:
    try:
        lengths = queue_lengths(app, queues)
    except BrokerUnavailable as error:
        yield problem(str(error), "look into the broker's log")
        return
    waiting = ", ".join(f"{length} in {queue}" for queue, length in lengths.items())
    yield ok(f"messages that wait: {waiting or 'TASKGATE_QUEUES names no queue'}")


def _is_absent(url: str) -> bool:
    if not is_sql(url):
        return False
    file = sqlite_file(make_url(url.partition("+")[2]))
    return file is not None and not file.exists()


def check_mirror(url: str | None) -> Iterator[Finding]:
    """Whether CELERY_RESULT_BACKEND, if it is set, answers."""
    if url is None:
        yield ok("none: results are in the record alone (CELERY_RESULT_BACKEND is not set)")
        return
    try:
        mirror = Mirror(url)
    except ValueError as error:
        yield problem(f"CELERY_RESULT_BACKEND: {error}", "choose one of those, or unset it")
        return
    try:
        mirror.ask()
    except MirrorUnavailable as error:
        yield problem(
            f"{mirror.name}: {error}; tasks run all the same, and it is told later",
            "start it, or unset CELERY_RESULT_BACKEND",
        )
    else:
        yield ok(f"{mirror.name} answers; servers tell it every state and result")


def _redis(app: Celery, connection: Connection) -> Iterator[Finding]:
    """What this Redis can do."""
    del app
    channel: Any = connection.default_channel
    client = channel.client
    yield ok(f"Redis {client.info('server').get('redis_version')}: priorities 0 to 9, fan-out")
    yield from _durability(client)
    yield ok(
        f"tasks that run longer than {channel.visibility_timeout} s are delivered again; "
        "the second message is dropped at its claim"
    )


def _durability(client: Any) -> Iterator[Finding]:
    try:
        options = {
            **client.config_get("save"),
            **client.config_get("append*"),
            **client.config_get("maxmemory*"),
        }
    except ResponseError as error:  # managed ones do not tell
        yield warning(
            f"it does not say whether it keeps its data on disk ({error})",
            f"if it does not, and restarts: {_PUBLISHED_AGAIN}",
        )
        return
    yield _persistence(options)
    yield from _eviction(options)


def _persistence(options: dict[str, str]) -> Finding:
    if options.get("appendonly") == "yes":
        return ok(f"it keeps messages on disk (appendfsync {options.get('appendfsync')})")
    if options.get("save"):
        return warning(
            f"it writes snapshots only: a crash loses messages since the last one; "
            f"{_PUBLISHED_AGAIN}",
            "set appendonly yes",
        )
    return warning(
        f"it keeps nothing on disk: a restart empties its queues; {_PUBLISHED_AGAIN}",
        "set appendonly yes",
    )


def _eviction(options: dict[str, str]) -> Iterator[Finding]:
    policy = options.get("maxmemory-policy", "noeviction")
    if options.get("maxmemory", "0") != "0" and policy.startswith("allkeys"):
        yield warning(
            f"it throws queues away when its memory is full (maxmemory-policy {policy})",
            "set maxmemory-policy noeviction, or give taskgate a Redis of its own",
        )


def _rabbitmq(app: Celery, connection: Connection) -> Iterator[Finding]:
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


def _sql(app: Celery, connection: Connection) -> Iterator[Finding]:
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


_CHECKS: Mapping[str, Callable[[Celery, Connection], Iterator[Finding]]] = {
    "redis": _redis,
    "amqp": _rabbitmq,
    "sql": _sql,
}
