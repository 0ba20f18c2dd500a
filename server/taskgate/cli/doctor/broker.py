"""The broker: which kind it is, whether it answers, how much waits in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from celery import Celery
from kombu import Connection
from kombu.utils.url import maybe_sanitize_url
from sqlalchemy import make_url

from taskgate.cli.doctor import rabbitmq, redis, sql_broker
from taskgate.cli.doctor.finding import Finding, ok, problem, warning
from taskgate.cli.doctor.record import sqlite_file
from taskgate.tasks.app import create_app
from taskgate.tasks.brokers import connecting
from taskgate.tasks.brokers.connecting import BrokerUnavailable
from taskgate.tasks.brokers.queue_lengths import queue_lengths
from taskgate.tasks.brokers.sql_broker import is_sql
from taskgate.tasks.settings import Settings

_LOOKS: Mapping[str, Callable[[Celery, Connection], Iterator[Finding]]] = {
    "redis": redis.look,
    "amqp": rabbitmq.look,
    "sql": sql_broker.look,
}


def look_at_broker(settings: Settings) -> Iterator[Finding]:
    """What it can do, and whether it answers."""
    url = settings.celery_broker_url
    if _is_absent(url):
        yield ok(f"{url} is not there yet: whoever starts first makes it")
        return
    app = create_app(settings)
    try:
        away = connecting.errors(app)
    except (KeyError, ImportError) as error:  # kombu's, for schemes of no transport
        yield problem(f"CELERY_BROKER_URL {shown(url)}: {error}", "use redis://, amqp:// or sqla+…")
        return
    try:
        connection = connecting.connect(app)
        try:
            yield from _look(app, connection, shown(url))
            connection.close()
        except BaseException:
            connecting.let_go(connection)
            raise
    except away as error:
        yield problem(
            f"the broker at {shown(url)} does not answer: {error!r}; what is submitted is kept, "
            "and sent when it is back",
            "start it, or set CELERY_BROKER_URL",
        )
        return
    yield from _backlog(app, settings.taskgate_queues)


def shown(url: str) -> str:
    """The URL without passwords; several are separated by semicolons."""
    return ";".join(maybe_sanitize_url(one) for one in url.split(";"))


def _look(app: Celery, connection: Connection, url: str) -> Iterator[Finding]:
    look = _LOOKS.get(connection.transport.driver_type)
    if look is not None:
        yield ok(f"{url} answers")
        yield from look(app, connection)
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
