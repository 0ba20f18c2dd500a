"""A server and a worker for all tests of a module, on the engines and pools that matter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.celery_system import System, start_worker
from support.deployment import Deployment
from taskgate.tasks.app import create_app
from taskgate.tasks.settings import Settings

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Server and worker on the engines and the pool that the module names.

    `embedded`, `redis` or `rabbitmq` (with PostgreSQL), and Celery's name of the pool. Each test
    passes on each of them; that all run on all would take too long.
    """
    broker, pool = request.param.split("-")
    folder = tmp_path_factory.mktemp(request.param)
    broker_url, database_url = _engines(request, broker, folder)
    with Deployment(
        folder, broker_url=broker_url, database_url=database_url, env=_ENV
    ) as deployment:
        deployment.start_server()
        worker = start_worker(deployment, f"--pool={pool}", "--queues=celery", "--concurrency=2")
        settings = Settings(celery_broker_url=broker_url, postgres_url=database_url)
        app = create_app(settings)
        yield System(deployment, worker, app)
        app.close()


_ENV = {
    "TASKGATE_TASKS": "support.journal_tasks,support.celery_features",
    "TASKGATE_CONTEXT": "support.celery_features:flask_app.app_context",
}


def _engines(request: pytest.FixtureRequest, broker: str, folder: Path) -> tuple[str, str]:
    if broker == "embedded":
        return f"sqla+sqlite:///{folder}/broker.db", f"sqlite:///{folder}/record.db"
    server = request.getfixturevalue(f"{broker}_server")
    url = server.empty_database() if broker == "redis" else server.empty_vhost()
    postgres = request.getfixturevalue("postgres_server")
    return url, postgres.create_database(f"celery_{next(_numbers)}")
