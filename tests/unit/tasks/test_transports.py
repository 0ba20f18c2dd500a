"""Our transports serve our apps only, and honour the options that kombu's honour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kombu.transport
from celery import Celery

from taskgate.tasks.app import create_app, manage
from taskgate.tasks.brokers import redis, sql
from taskgate.tasks.settings import Settings

REDIS = "redis://127.0.0.1:1/0"


def settings(tmp_path: Path, **values: Any) -> Settings:
    return Settings(postgres_url=f"sqlite:///{tmp_path}/record.db", **values)


def managed(tmp_path: Path, broker: str, **options: Any) -> Any:
    app = Celery("users", broker=broker, set_as_current=False)
    app.conf.update(options)
    return manage(app, settings(tmp_path))


def test_other_apps_of_the_process_keep_kombus(tmp_path: Path) -> None:
    for url, ours in ((REDIS, redis.Transport), (f"sqla+sqlite:///{tmp_path}/b.db", sql.Transport)):
        app: Any = managed(tmp_path, url)
        other: Any = Celery("other", broker=url, set_as_current=False)

        assert app.connection_for_write().get_transport_cls() is ours
        assert app.connection_for_write().clone().get_transport_cls() is ours
        theirs = other.connection_for_write().get_transport_cls()
        assert theirs is kombu.transport.get_transport_cls(url.partition("+")[0].partition(":")[0])
        assert theirs is not ours
        assert app.pool is not other.pool
        with app.producer_or_acquire() as pooled, other.producer_or_acquire() as others:
            assert pooled.connection.get_transport_cls() is ours
            assert others.connection.get_transport_cls() is theirs


def test_a_managed_apps_own_options_are_kept_beside_ours(tmp_path: Path) -> None:
    chosen = {"visibility_timeout": 43200, "sep": ":", "global_keyprefix": "their"}
    app = managed(tmp_path, REDIS, broker_transport_options=chosen)

    options = app.connection_for_read().transport_options

    assert options.items() >= chosen.items()
    assert options["priority_steps"] == list(range(10))
    assert options["socket_timeout"] > 0


def test_a_worker_looks_at_the_priority_steps_of_every_producer(tmp_path: Path) -> None:
    app = managed(tmp_path, REDIS, broker_transport_options={"priority_steps": [0, 15]})

    assert app.conf.broker_transport_options["priority_steps"] == [*range(10), 15]


def test_options_of_the_environment_are_the_servers_and_the_workers(tmp_path: Path) -> None:
    options = {"queue_tablename": "q", "message_tablename": "m"}
    broker = f"sqla+sqlite:///{tmp_path}/b.db"
    app = create_app(
        settings(tmp_path, celery_broker_url=broker, celery_broker_transport_options=options)
    )

    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("celery")
        queue.put({"hello": "world"})
        tables = sql.tables("q", "m")
        channel: Any = connection.default_channel
        with channel._engine.connect() as tx:
            assert len(tx.execute(tables.messages.select()).all()) == 1
        assert queue.get(timeout=1).payload == {"hello": "world"}
