"""A server and a worker for all tests of a module, on the engines and pools that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.celery_system import System, start_worker
from support.deployment import Deployment
from taskgate.tasks.app import create_app
from taskgate.tasks.settings import Settings


@pytest.fixture(scope="module")
def system(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    make_engines: Callable[..., Any],
) -> Iterator[System]:
    """Server and worker on the engines and the pool that the module names.

    One of `support.engines.SETUPS`, and Celery's name of the pool: `redis+postgresql-prefork`;
    with `-alone` behind it there is no server.
    Each test passes on each of them; that all run on all would take too long.
    """
    setup, pool, *alone = request.param.split("-")
    with (
        make_engines(setup) as engines,
        Deployment(
            tmp_path_factory.mktemp(request.param),
            broker_url=engines.broker.url,
            database_url=engines.database_url,
            env=_ENV,
        ) as deployment,
    ):
        if not alone:
            deployment.start_server()
        worker = start_worker(deployment, f"--pool={pool}", "--queues=celery", "--concurrency=2")
        settings = Settings(celery_broker_url=engines.broker.url, postgres_url=engines.database_url)
        with create_app(settings) as app:
            yield System(deployment, worker, app)


_ENV = {
    "TASKGATE_TASKS": "support.journal_tasks,support.celery_features,support.replacing_tasks",
    "TASKGATE_CONTEXT": "support.celery_features:flask_app.app_context",
}
