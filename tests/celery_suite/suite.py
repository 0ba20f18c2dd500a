"""Celery's integration tests of the installed version, run on one way to keep results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from support.deployment import COMMANDS, TESTS, Deployment
from support.postgres import PostgresServer
from support.redis import RedisServer

FILES = ("test_tasks.py", "test_canvas.py", "test_inspect.py", "test_worker.py")

CACHE = TESTS.parent / ".tools" / "celery-suite"

_NEEDED = ("pytest-rerunfailures", "django", "asgiref", "sqlparse")
"""What the tests import, and no other test of ours does."""

_ONLY_REDIS = re.compile(r"""(result_backend\.startswith)\((["'])redis\2\)""")
_AND_OURS = r"""\1(("redis", "taskgate"))"""
"""A third of the canvas tests skip every result backend that is not Redis."""

_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@dataclass(frozen=True)
class Outcome:
    """What came out of one test."""

    outcome: str
    why: str


Outcomes = Mapping[str, Outcome]
"""By the test's name: `test_tasks.py::test_tasks::test_retry`."""


@dataclass(frozen=True)
class Way:
    """A way to keep results: stock Celery's, or the record."""

    name: str
    record: bool
    managed: bool = False

    def backend(self, redis: RedisServer, database_url: str) -> str:
        if self.record:
            return f"taskgate+{database_url}"
        stock = database_url.replace("postgresql://", "db+postgresql+psycopg2://")
        return redis.url(1) if self.name == "redis" else stock


STOCK = (Way("redis", record=False), Way("db+postgresql", record=False))
OURS = (Way("result backend", record=True), Way("managed", record=True, managed=True))


def fetch() -> Path:
    """The folder that holds the tests, and what they need; downloaded once for each version."""
    folder = CACHE / version("celery")
    if not (folder / "prepared").exists():
        folder.mkdir(parents=True, exist_ok=True)
        source = f"celery=={version('celery')}"
        _pip("download", "--no-deps", "--no-binary", "celery", "--dest", folder, source)
        _pip("install", "--no-deps", "--target", folder, *_NEEDED)
        _extract(folder)
        (folder / "prepared").touch()
    return folder


def run(way: Way, folder: Path, tests: Sequence[str] = FILES) -> Outcomes:
    """Run tests of the suite; `folder` is for what they leave behind.

    Raises:
        RuntimeError: not one test was run; says what pytest printed.
    """
    source, outcomes = fetch(), folder / "outcomes"
    with _servers(way, folder) as env:
        plugins = ("-p", "celery.contrib.pytest", "-p", "celery_suite.plugin")
        command = [sys.executable, "-m", "pytest", "-q", *plugins]
        with (folder / "pytest.log").open("w") as log:
            subprocess.run(
                [*command, *(f"t/integration/{test}" for test in tests)],
                cwd=source,
                env={**env, "SUITE_OUTCOMES": str(outcomes)},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
    if not outcomes.exists():
        raise RuntimeError((folder / "pytest.log").read_text()[-4000:])
    lines = [json.loads(line) for line in outcomes.read_text().splitlines()]
    return {line["test"]: Outcome(line["outcome"], line["why"]) for line in lines}


@contextmanager
def _servers(way: Way, folder: Path) -> Iterator[dict[str, str]]:
    """The servers that the suite talks to, and what tells it where they are."""
    with PostgresServer("max_connections=500") as postgres, RedisServer() as redis:
        database_url = postgres.create_database("suite")
        deployment = Deployment(folder, broker_url=redis.url(), database_url=database_url)
        with deployment:
            if way.record:
                deployment.start_server()
            yield {
                **os.environ,
                "POSTGRES_URL": database_url,
                "PATH": f"{COMMANDS}:{os.environ['PATH']}",
                "PYTHONPATH": f"{fetch()}:{TESTS}",
                "REDIS_HOST": "127.0.0.1",
                "REDIS_PORT": str(redis.port),
                "TEST_BROKER": redis.url(),
                "TEST_BACKEND": way.backend(redis, database_url),
                "SUITE_MANAGED": "yes" if way.managed else "no",
            }


def _extract(folder: Path) -> None:
    [archive] = folder.glob("celery-*.tar.gz")
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            # Not the package beside them: the installed one is tested.
            member.name = member.name.partition("/")[2]
            if member.name.startswith(
                ("t/__init__", "t/canvas_helpers", "t/skip", "t/integration")
            ):
                packed.extract(member, folder, filter="data")
    for test in (folder / "t" / "integration").glob("test_*.py"):
        test.write_text(_ONLY_REDIS.sub(_AND_OURS, test.read_text()))
    (folder / "pytest.ini").write_text("[pytest]\npython_classes = test_*\n")


def _pip(*arguments: str | Path) -> None:
    subprocess.run([*_PIP, *arguments], check=True)
