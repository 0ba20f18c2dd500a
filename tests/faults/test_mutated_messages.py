"""Messages with anything in them: the worker goes on, and other tasks are as they were."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.deployment import Deployment
from support.engines import Engines
from support.mutations import Mutations
from support.waiting import wait_until
from taskgate.client import State
from taskgate.store import queries
from taskgate.store.record import Task
from taskgate.tasks.app import create_app
from taskgate.tasks.settings import Settings

from .conftest import Deploy

POOLS = {
    "prefork": ("--pool=prefork", "--concurrency=2"),
    "threads": ("--pool=threads", "--concurrency=4"),
    "solo": ("--pool=solo",),
}

LOGGED = 8_192
"""What a message may have the worker log beyond its own text, in bytes and on average."""

BETWEEN = 20
"""Mutated messages between two good ones."""


@pytest.mark.parametrize(
    ("setup", "pool", "seed", "messages"),
    [
        ("redis+postgresql", "threads", 1, 200),
        ("redis+postgresql", "prefork", 2, 2_000),
        ("redis+postgresql", "threads", 3, 2_000),
        ("sqla+sqlite", "solo", 4, 2_000),
        ("sqla+postgresql", "prefork", 5, 2_000),
    ],
)
@pytest.mark.timeout(600)
def test_the_worker_goes_on(
    setup: str,
    pool: str,
    seed: int,
    messages: int,
    engines_of: Callable[[str], Engines],
    deploy: Deploy,
) -> None:
    engines = engines_of(setup)
    deployment = deploy(engines)
    deployment.start_server()
    worker = deployment.start_worker(*POOLS[pool])
    settings = Settings(celery_broker_url=engines.broker.url, postgres_url=engines.database_url)
    with deployment.client() as client, create_app(settings) as app:
        ended = [client.submit("demo.add", [1, number]) for number in range(5)]
        assert [task.result(60) for task in ended] == [1, 2, 3, 4, 5]
        others = [*ended, *(client.submit("demo.add", [1, 2], delay=3600) for _ in range(5))]
        ids = [task.id for task in others]
        before = records(deployment, ids)
        mutated = Mutations(app, seed, ids)
        good, size = [], 0
        for number in range(messages):
            message = mutated()
            size += len(message)
            engines.broker.put_raw("celery", message)
            if number % BETWEEN == 0:
                good.append(client.submit("demo.add", [number, 1]))

        assert [task.result(60) for task in good] == list(range(1, messages + 1, BETWEEN))
        assert {task.get().state for task in good} == {State.SUCCEEDED}
        wait_until(lambda: not engines.broker.messages(), 60, "all messages were taken")
        assert records(deployment, ids) == before
    assert worker.exit_code is None
    assert len(worker.output) < size + messages * LOGGED


def records(deployment: Deployment, ids: list[str]) -> dict[str, Task]:
    with deployment.database.read() as tx:
        return dict(queries.get_many(tx, ids))
