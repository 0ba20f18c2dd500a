"""A worker's own copies of messages: a task is on record once, so there are none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Celery's own command, with SQLite for everything."""
    env = {
        **os.environ,
        "CELERY_BROKER_URL": f"sqla+sqlite:///{folder}/broker.db",
        "POSTGRES_URL": f"sqlite:///{folder}/record.db",
    }
    command = ["-A", "support.broadcast_app", "worker", "--pool=solo", "--loglevel=info", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "celery", *command],
        env=env,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_broadcast_queue_is_refused_with_a_sentence(tmp_path: Path) -> None:
    worker = start(tmp_path)
    output, _ = worker.communicate(timeout=120)

    assert worker.returncode == 1
    assert "Error: the queue 'news' is a broadcast" in output
    assert "--exclude-queues=news" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("option", ["--exclude-queues=news", "--queues=one"])
def test_a_queue_that_workers_share_is_not(tmp_path: Path, option: str) -> None:
    worker = start(tmp_path, option)
    assert worker.stdout is not None
    assert any(" ready." in line for line in worker.stdout)
    worker.terminate()
    worker.communicate(timeout=120)
