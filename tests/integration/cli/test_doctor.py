"""`taskgate doctor` on what users run it on, working or broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text, update

from support.deployment import Deployment
from support.ports import free_port
from support.rabbitmq import RabbitMQServer
from support.redis import RedisServer
from taskgate.store import tables
from taskgate.store.database import schema
from taskgate.store.database.engine import Database


@dataclass(frozen=True)
class Diagnosis:
    exit_code: int
    findings: list[dict[str, str]]

    def said(self, subject: str, level: str) -> str:
        """All of a level about a subject, with the ways out."""
        return "\n".join(
            f"{finding['text']} → {finding['way_out']}"
            for finding in self.findings
            if (finding["subject"], finding["level"]) == (subject, level)
        )

    @property
    def problems(self) -> list[str]:
        """The subjects that have problems."""
        return sorted({f["subject"] for f in self.findings if f["level"] == "problem"})


def _run(folder: Path, *words: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "taskgate.cli", "doctor", *words],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _diagnose(folder: Path, env: Mapping[str, str]) -> Diagnosis:
    answer = _run(folder, "--json", env=env)
    assert answer.stderr == ""
    return Diagnosis(answer.returncode, json.loads(answer.stdout)["findings"])


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("embedded")
    with Deployment(
        folder,
        broker_url=f"sqla+sqlite:///{folder / 'broker.db'}",
        database_url=f"sqlite:///{folder / 'record.db'}",
    ) as deployment:
        deployment.start_server()
        deployment.start_worker("--pool=prefork", "--concurrency=2")
        yield deployment


def test_the_embedded_default_works_and_has_limits(embedded: Deployment) -> None:
    found = _diagnose(embedded.folder, embedded.env)
    assert (found.exit_code, found.problems) == (0, [])
    assert "WAL, synchronous=FULL" in found.said("record", "ok")
    assert "the tables are at revision" in found.said("record", "ok")
    assert "this machine's clock is 0." in found.said("clock", "ok")
    assert "1 at work: celery@" in found.said("workers", "ok")
    assert "(prefork, 2 at once)" in found.said("workers", "ok")
    assert "no priorities" in found.said("broker", "warning")
    assert "no fan-out" in found.said("broker", "warning")
    assert f"the server at {embedded.address} serves" in found.said("server", "ok")
    assert found.said("mirror", "ok").startswith("none: ")


def test_people_get_lines_with_ways_out(embedded: Deployment) -> None:
    answer = _run(embedded.folder, env=embedded.env)
    assert answer.returncode == 0
    assert answer.stdout.startswith("record   ok        SQLite ")
    assert "\n         warning   it has no fan-out" in answer.stdout
    assert "\n                   → use redis:// or amqp://" in answer.stdout
    assert answer.stdout.endswith("\nno problems, 2 warnings.\n")


def test_redis_that_forgets_is_a_warning(embedded: Deployment, redis_url: str) -> None:
    found = _diagnose(embedded.folder, {**embedded.env, "CELERY_BROKER_URL": redis_url})
    assert found.exit_code == 0
    assert "it keeps nothing on disk" in found.said("broker", "warning")
    assert "appendonly yes" in found.said("broker", "warning")
    assert "priorities 0 to 9, fan-out" in found.said("broker", "ok")
    assert "longer than 3600 s are delivered again" in found.said("broker", "ok")


@pytest.mark.parametrize(
    ("options", "level", "words"),
    [
        (("--appendonly", "yes"), "ok", "it keeps messages on disk (appendfsync everysec)"),
        (("--save", "60 1"), "warning", "it writes snapshots only"),
        (
            ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"),
            "warning",
            "it throws queues away when its memory is full",
        ),
        (("--rename-command", "CONFIG", ""), "warning", "it does not say whether"),
    ],
)
def test_what_a_redis_keeps(
    embedded: Deployment, options: tuple[str, ...], level: str, words: str
) -> None:
    with RedisServer(*options) as server:
        env = {**embedded.env, "CELERY_BROKER_URL": server.url()}
        found = _diagnose(embedded.folder, env)
    assert found.problems == []
    assert words in found.said("broker", level)


def test_rabbitmq_confirms(
    embedded: Deployment, rabbitmq_server: RabbitMQServer, amqp_url: str
) -> None:
    env = {**embedded.env, "CELERY_BROKER_URL": amqp_url}
    found = _diagnose(embedded.folder, env)
    assert (found.problems, found.said("broker", "warning")) == ([], "")
    assert "RabbitMQ 3." in found.said("broker", "ok")
    assert "it confirms what it has taken" in found.said("broker", "ok")
    assert "guest:guest" not in str(found.findings)
    vhost = amqp_url.rpartition("/")[2]
    rabbitmq_server.control(
        "eval",
        f'rabbit_amqqueue:declare({{resource, <<"{vhost}">>, queue, <<"celery">>}}, '
        'false, false, [], none, <<"test">>).',
    )
    found = _diagnose(embedded.folder, env)
    assert "queue 'celery' was declared otherwise" in found.said("broker", "warning")


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@127.0.0.1:{port}/0",
        "amqp://guest:secret@127.0.0.1:{port}//",
        "sqla+postgresql://user:secret@127.0.0.1:{port}/broker",
    ],
)
def test_a_broker_that_is_away_is_a_problem(embedded: Deployment, url: str) -> None:
    env = {**embedded.env, "CELERY_BROKER_URL": url.format(port=free_port())}
    found = _diagnose(embedded.folder, env)
    assert (found.exit_code, found.problems) == (1, ["broker"])
    assert "secret" not in str(found.findings)
    assert "authors" not in str(found.findings)


def test_a_frozen_broker_is_a_problem_in_time(embedded: Deployment) -> None:
    with RedisServer() as server:
        server.pause()
        found = _diagnose(embedded.folder, {**embedded.env, "CELERY_BROKER_URL": server.url()})
    assert found.problems == ["broker"]


def test_a_mirror_answers_or_is_a_problem(
    embedded: Deployment, redis_url: str, postgres_url: str
) -> None:
    for url in (redis_url, f"db+{postgres_url}"):
        found = _diagnose(embedded.folder, {**embedded.env, "CELERY_RESULT_BACKEND": url})
        assert "answers; servers tell it" in found.said("mirror", "ok")
    away = f"127.0.0.1:{free_port()}"
    for url in (f"redis://{away}", f"db+postgresql://{away}/x"):
        found = _diagnose(embedded.folder, {**embedded.env, "CELERY_RESULT_BACKEND": url})
        assert (found.exit_code, found.problems) == (1, ["mirror"])


def test_queues_that_nobody_serves_and_pools_without_force(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    env = {"TASKGATE_QUEUES": "celery,mail", "TASKGATE_INSECURE": "1"}
    with Deployment(
        tmp_path, broker_url=redis_url, database_url=postgres_url, env=env
    ) as deployment:
        alone = _diagnose(tmp_path, deployment.env)
        assert (alone.exit_code, alone.problems) == (1, ["server", "workers"])
        assert "no worker is at work" in alone.said("workers", "problem")
        assert "Connection refused" in alone.said("server", "problem")
        deployment.start_server()
        deployment.start_worker("--pool=threads")
        found = _diagnose(tmp_path, deployment.env)
    assert found.problems == []
    assert "PostgreSQL" in found.said("record", "ok")
    assert "fsync is off" in found.said("record", "warning")  # as the tests' server has it
    assert "cannot end a task by force" in found.said("workers", "warning")
    assert "'mail', and no worker takes from it" in found.said("workers", "warning")
    assert "TASKGATE_INSECURE" in found.said("server", "warning")


def test_a_token_that_the_server_does_not_know_is_a_problem(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"alice {'0' * 64}\n")
    with Deployment(
        tmp_path,
        broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        database_url=f"sqlite:///{tmp_path / 'record.db'}",
        env={"TASKGATE_TOKENS_FILE": str(tokens)},
    ) as deployment:
        deployment.start_server()
        found = _diagnose(tmp_path, deployment.env)
    assert "TASKGATE_TOKEN" in found.said("server", "problem")


def test_a_database_that_is_away_is_a_problem(tmp_path: Path) -> None:
    url = f"postgresql://user:secret@127.0.0.1:{free_port()}/nowhere"
    found = _diagnose(tmp_path, {"POSTGRES_URL": url})
    assert found.exit_code == 1
    assert "record" in found.problems
    assert "the database does not answer" in found.said("record", "problem")
    assert "secret" not in str(found.findings)


def test_an_empty_folder_stays_empty(tmp_path: Path) -> None:
    found = _diagnose(tmp_path, {"TASKGATE_ADDRESS": f"127.0.0.1:{free_port()}"})
    assert (found.exit_code, found.problems) == (1, ["record", "server"])
    assert "there is no record" in found.said("record", "problem")
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_version_are_a_problem(tmp_path: Path, database_url: str) -> None:
    database = Database(database_url)
    schema.upgrade(database)
    for revision, way_out in (
        ("0001", "run `taskgate db upgrade`"),
        ("9999", "install the one that made it"),
    ):
        with database.write() as tx:
            tx.execute(
                text("UPDATE taskgate_alembic_version SET version_num = :revision"),
                {"revision": revision},
            )
            tx.execute(update(tables.schema).values(usable_from=revision))
        found = _diagnose(tmp_path, {"POSTGRES_URL": database_url})
        assert "record" in found.problems
        assert f"revision {revision}" in found.said("record", "problem")
        assert way_out in found.said("record", "problem")
    database.close()


def test_what_postgresql_was_told_to_risk_is_told(tmp_path: Path, postgres_url: str) -> None:
    database = Database(postgres_url)
    schema.upgrade(database)
    with database.write() as tx:
        name = tx.execute(text("SELECT current_database()")).scalar_one()
        tx.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    database.close()
    found = _diagnose(tmp_path, {"POSTGRES_URL": postgres_url})
    assert "synchronous_commit is off" in found.said("record", "warning")


def test_a_file_that_is_no_database_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    file.write_bytes(b"not a database" * 1000)
    found = _diagnose(tmp_path, {"POSTGRES_URL": f"sqlite:///{file}"})
    assert "record" in found.problems
    assert "not a database" in found.said("record", "problem")
