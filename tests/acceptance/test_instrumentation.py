"""What instruments Celery works on managed apps, in its real version: one span for each run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment import TESTS, Deployment
from support.environments import install_into
from support.waiting import wait_until
from taskgate.store import queries
from taskgate.store.lifecycle import State

pytestmark = pytest.mark.timeout(400)  # downloads, and starts a worker

INSTRUMENTATIONS = {
    "sentry": ["sentry-sdk"],
    "opentelemetry": ["opentelemetry-instrumentation-celery", "opentelemetry-sdk"],
    "ddtrace": ["ddtrace"],
    "newrelic": ["newrelic"],
}
"""What is installed for each."""

ENDS = {
    "0": ("instrumented.succeeds", State.SUCCEEDED, 1),
    "1": ("instrumented.is_retried", State.SUCCEEDED, 2),
    "2": ("instrumented.fails", State.FAILED, 1),
}

SECONDS = 120


@pytest.fixture(params=INSTRUMENTATIONS)
def deployment(
    request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path
) -> Iterator[Deployment]:
    packages = tmp_path / "packages"
    install_into(packages, *INSTRUMENTATIONS[request.param])
    env = {
        "INSTRUMENTATION": request.param,
        "TRACED": str(tmp_path / "traced"),
        "PYTHONPATH": f"{TESTS}:{packages}",
    }
    broker_url = f"sqla+sqlite:///{tmp_path / 'broker.db'}"
    with Deployment(tmp_path, broker_url=broker_url, database_url=sqlite_url, env=env) as made:
        yield made


def ends(deployment: Deployment) -> dict[str, tuple[str, State, int]]:
    with deployment.database.read() as tx:
        found = queries.get_many(tx, ENDS)
    return {
        task_id: (task.task_type, task.state, task.attempt)
        for task_id, task in found.items()
        if task.is_final
    }


def test_each_run_is_traced_once(deployment: Deployment, tmp_path: Path) -> None:
    traced = tmp_path / "traced"
    command = ("-A", "support.instrumented", "worker", "--pool=prefork", "--concurrency=1")
    worker = deployment.start("celery", *command)

    wait_until(lambda: ends(deployment) == ENDS, SECONDS, "the tasks have ended")
    runs = [name for name, _state, attempts in ENDS.values() for _ in range(attempts)]
    wait_until(lambda: traced.exists() and len(traced.read_text().split()) >= len(runs), SECONDS)
    worker.stop()

    assert sorted(traced.read_text().split()) == sorted(runs)
    assert "RecursionError" not in worker.output
