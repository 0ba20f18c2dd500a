"""Passwords are shown nowhere, whatever their place in a URL: not in logs, errors or answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from celery import Celery
from click.testing import CliRunner

from support.deployment import COMMANDS, Deployment
from support.postgres import PostgresServer
from support.processes import Process
from support.redis import RedisServer
from support.waiting import wait_until
from taskgate.cli.main import main
from taskgate.tasks.backend import RecordBackend
from taskgate.tasks.mirror import Mirror

SECRET = "hunter2"


def url_forms(scheme: str, place: str) -> list[str]:
    return [f"{scheme}://user:{SECRET}@{place}", f"{scheme}://{place}?user=user&password={SECRET}"]


def test_logs_and_commands_show_none(tmp_path: Path) -> None:
    with PostgresServer() as postgres, RedisServer() as redis:
        database = postgres.create_database("record").replace("postgresql://taskgate@", "")
        urls = {
            "POSTGRES_URL": f"postgresql://{database}?user=taskgate&password={SECRET}",
            "CELERY_BROKER_URL": redis.url().replace("//", f"//default:{SECRET}@"),
            "CELERY_RESULT_BACKEND": f"db+postgresql://taskgate:{SECRET}@{database}",
        }
        said = []
        deployment = Deployment(
            tmp_path,
            broker_url=urls["CELERY_BROKER_URL"],
            database_url=urls["POSTGRES_URL"],
            env=urls,
        )
        with deployment:
            said += [run(deployment, "db", "upgrade"), run(deployment, "db", "check")]
            worker = deployment.start_worker("--loglevel=DEBUG", "--concurrency=1")
            server = deployment.start("taskgate", "server", "--loglevel=DEBUG")
            server.wait_ready(deployment.is_serving)
            assert deployment.client().submit("demo.add", [1, 2]).result(timeout=60) == 3
            said += [run(deployment, "doctor"), run(deployment, "sweep")]
            postgres.stop()
            redis.stop()
            wait_until(lambda: complains(worker) and complains(server), 60, "both to complain")
            said += [run(deployment, "doctor"), run(deployment, "sweep")]
        logs = [log.read_text() for log in tmp_path.glob("*.log")]
    assert any("**" in text for text in logs)
    assert any("**" in text for text in said)
    for text in (*said, *logs):
        assert SECRET not in text


def run(deployment: Deployment, *command: str) -> str:
    done = subprocess.run(
        [COMMANDS / "taskgate", *command],
        env={**os.environ, **deployment.env},
        cwd=deployment.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    return done.stdout + done.stderr


def complains(process: Process) -> bool:
    return "does not answer" in process.log.read_text() or "refused" in process.log.read_text()


@pytest.mark.parametrize("name", ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "POSTGRES_URL"])
@pytest.mark.parametrize("place", ["127.0.0.1:port/x", "127.0.0.1:1/x"])
@pytest.mark.parametrize(
    "scheme",
    ["postgresql", "mysql", "redis", "rediss", "amqp", "sqla+postgresql", "db+postgresql", "x"],
)
def test_no_url_is_told_with_its_password(scheme: str, place: str, name: str) -> None:
    for url in url_forms(scheme, place):
        answer = CliRunner().invoke(main, ["db", "check"], env={name: url})
        assert SECRET not in answer.output


def test_celery_is_told_none() -> None:
    for url in url_forms("postgresql", "host/x"):
        backend = RecordBackend(Celery(set_as_current=False), url=url)
        assert SECRET not in backend.as_uri()
        assert SECRET in backend.as_uri(include_password=True)
        assert SECRET not in Mirror(f"db+{url}").name
