"""taskgate and stock Celery side by side, on the brokers and records that people use."""

from __future__ import annotations

from contextlib import ExitStack

from bench.environment import Environment
from bench.systems import Stock, Taskgate

Both = tuple[Taskgate, Stock]


def on_redis(environment: Environment, exits: ExitStack) -> Both:
    """Taskgate with Redis and PostgreSQL; stock Celery with Redis for messages and results."""
    empty = environment.redis.empty_database
    deployment = environment.deployment(exits, empty(), environment.new_database())
    return Taskgate(deployment), Stock(environment, "stock, results in Redis", empty(), empty())


def on_rabbitmq(environment: Environment, exits: ExitStack) -> Both:
    """The same with RabbitMQ for messages."""
    vhost = environment.rabbitmq.empty_vhost
    deployment = environment.deployment(exits, vhost(), environment.new_database())
    backend = environment.redis.empty_database()
    return Taskgate(deployment), Stock(environment, "stock, results in Redis", vhost(), backend)


def on_sqlite(environment: Environment, exits: ExitStack) -> Both:
    """Everything in SQLite files, which is what taskgate does with nothing configured."""
    folder = environment.new_folder("sqlite")
    broker, record, stock_broker, stock_results = (
        f"sqlite:///{folder / name}.db" for name in ("broker", "record", "stock", "stock-results")
    )
    deployment = environment.deployment(exits, f"sqla+{broker}", record)
    stock = Stock(environment, "stock, SQLite", f"sqla+{stock_broker}", f"db+{stock_results}")
    return Taskgate(deployment), stock
