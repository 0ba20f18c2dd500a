"""A task changes the working directory (celery#1008, #4785): relative paths stay what they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.deployment import Deployment

TASKS = """
import os
from taskgate.tasks import task

@task
def go(path):
    os.chdir(path)
    return os.getcwd()

@task(bind=True, max_retries=1, default_retry_delay=0.1)
def go_and_fail(self, path):
    os.chdir(path)
    if self.request.retries < 1:
        raise self.retry()
    return self.request.retries

@task(bind=True)
def go_and_report(self, path):
    os.chdir(path)
    self.report_progress(1, 2, "x")
    return self.is_aborted()

@task
def go_and_send(path):
    os.chdir(path)
    return go.delay(path).get(timeout=20, disable_sync_subtasks=False)
"""


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_task_may_change_the_working_directory(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, pool: str
) -> None:
    (tmp_path / "moving_tasks.py").write_text(TASKS)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    env = {
        "POSTGRES_URL": "sqlite:///state/record.db",
        "CELERY_BROKER_URL": "sqla+sqlite:///state/broker.db",
        "CELERY_RESULT_BACKEND": "db+sqlite:///state/results.db",
        "TASKGATE_TASKS": "moving_tasks",
        "PYTHONPATH": str(tmp_path),
    }
    record = f"sqlite:///{tmp_path}/state/record.db"
    with Deployment(tmp_path, broker_url="", database_url=record, env=env) as deployment:
        deployment.start_worker(f"--pool={pool}", "--concurrency=2")
        deployment.start_server()
        client = deployment.client()
        for _ in range(2):
            for name, result in (
                ("go", str(elsewhere)),
                ("go_and_fail", 1),
                ("go_and_report", False),
                ("go_and_send", str(elsewhere)),
            ):
                handle = client.submit(f"moving_tasks.{name}", [str(elsewhere)])
                assert handle.result(timeout=60) == result, name
    assert list(elsewhere.iterdir()) == []
    assert {file.name for file in (tmp_path / "state").glob("*.db")} == {
        "record.db",
        "broker.db",
        "results.db",
    }
