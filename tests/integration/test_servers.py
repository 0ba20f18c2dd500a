"""The servers that the other tests stand on: each starts, answers, dies, comes back and ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

import amqp
import psycopg2
import pytest
import redis

from support.postgres import PostgresServer
from support.processes import descendants, has_ended
from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from support.server import Server
from support.waiting import wait_until

SERVERS: list[Callable[[], Server]] = [PostgresServer, RedisServer, RabbitMQServer]


@pytest.mark.parametrize("make", SERVERS)
def test_a_server_survives_a_kill_and_ends_without_a_trace(make: Callable[[], Server]) -> None:
    with make() as server:
        first = server.process
        server.kill()
        assert not server.is_ready()
        server.start()
        assert server.is_ready()
        assert first is not server.process
        assert server.process is not None
        pids = [server.process.pid, *descendants(server.process.pid)]
    assert not server.folder.exists()
    assert all(map(has_ended, pids))


def test_each_test_has_a_postgres_database_of_its_own(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    with closing(psycopg2.connect(postgres_url)) as connection:
        connection.cursor().execute("CREATE TABLE here (there int)")
        connection.commit()
    copy = postgres_server.create_database("a_copy", template=postgres_url.rpartition("/")[2])
    with closing(psycopg2.connect(copy)) as connection:
        connection.cursor().execute("SELECT there FROM here")
    postgres_server.drop_database("a_copy")


def test_committed_rows_survive_the_kill_of_postgres() -> None:
    with PostgresServer() as server:
        url = server.create_database("kept")
        with closing(psycopg2.connect(url)) as connection:
            connection.cursor().execute("CREATE TABLE kept (row int)")
            connection.commit()
        server.kill()
        server.start()
        with closing(psycopg2.connect(url)) as connection:
            connection.cursor().execute("SELECT row FROM kept")


def test_each_test_has_an_empty_redis_database(redis_server: RedisServer) -> None:
    with closing(redis.Redis.from_url(redis_server.empty_database())) as first:
        first.set("key", "value")
        with closing(redis.Redis.from_url(redis_server.empty_database())) as second:
            assert second.dbsize() == 0
        assert first.dbsize() == 1


def test_redis_forgets_unless_told_otherwise() -> None:
    for options, kept in [((), 0), (("--appendonly", "yes", "--appendfsync", "always"), 1)]:
        with RedisServer(*options) as server, closing(server.client()) as client:
            client.set("key", "value")
            server.kill()
            server.start()
            assert client.dbsize() == kept


def test_a_paused_server_keeps_its_connections_and_answers_later() -> None:
    with (
        RedisServer() as server,
        closing(server.client(timeout=0.2)) as client,
    ):
        server.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.resume()
        assert client.ping()


def test_each_test_has_a_rabbitmq_virtual_host_of_its_own(rabbitmq_server: RabbitMQServer) -> None:
    first, second = rabbitmq_server.empty_vhost(), rabbitmq_server.empty_vhost()
    assert first != second
    for url in first, second:
        host = f"127.0.0.1:{rabbitmq_server.port}"
        with amqp.Connection(host, virtual_host=url.rpartition("/")[2]) as connection:
            channel = connection.channel()
            channel.queue_declare("tasks")
            assert channel.basic_get("tasks") is None
            channel.basic_publish(amqp.Message(url), routing_key="tasks")
            wait_until(partial(has_message, channel, url))


def test_a_test_on_a_database_runs_on_each(database_url: str) -> None:
    assert database_url.startswith(("sqlite:///", "postgresql://"))


def has_message(channel: amqp.Channel, body: str) -> bool:
    message = channel.basic_get("tasks", no_ack=True)
    return message is not None and message.body == body
