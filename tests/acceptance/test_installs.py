"""What users install: the wheels and nothing else, with the oldest and the newest dependencies.

Oldest means the lower bounds in pyproject.toml on the oldest Python of this machine, newest what is
newest on the newest one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from support.environments import CLIENT, ROOT, Environment, Resolution, build_wheels, pythons
from support.up import Up

# Environments are made and servers started in a test's own time.
pytestmark = pytest.mark.timeout(400)

RESOLUTIONS: list[Resolution] = ["lowest-direct", "highest"]


@dataclass(frozen=True)
class Setup:
    """Record, broker and mirror; each names a fixture, and what to put before its URL."""

    record: str
    broker: tuple[str, str]
    mirror: tuple[str, str] | None = None

    def settings(self, request: pytest.FixtureRequest) -> Mapping[str, str]:
        settings = {
            "POSTGRES_URL": request.getfixturevalue(self.record),
            "CELERY_BROKER_URL": _url(request, *self.broker),
        }
        if self.mirror:
            settings["CELERY_RESULT_BACKEND"] = _url(request, *self.mirror)
        return settings


SETUPS = {
    "sqlite": Setup("sqlite_url", ("sqla+", "broker_url")),
    "redis": Setup("postgres_url", ("", "redis_url"), mirror=("", "redis_url")),
    "rabbitmq": Setup("sqlite_url", ("", "amqp_url")),
    "postgresql": Setup("postgres_url", ("sqla+", "postgres_url"), mirror=("db+", "postgres_url")),
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    build_wheels(folder)
    return folder


@pytest.fixture(scope="module", params=RESOLUTIONS)
def whole(
    request: pytest.FixtureRequest, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    environment = _environment(request.param, tmp_path_factory.mktemp("whole"))
    environment.install("taskgate", ROOT, wheels, request.param)
    return environment


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_the_dashboard_is_an_extra(
    resolution: Resolution,
    wheels: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    environment = _environment(resolution, tmp_path_factory.mktemp("web"))
    environment.install("taskgate[web]", ROOT, wheels, resolution, "--extra", "web")
    with Up(tmp_path, env={"TASKGATE_WEB_ADDRESS": "127.0.0.1:0"}, python=environment.python) as up:
        [url] = re.findall(r"^The dashboard is at (\S+)$", up.output, re.MULTILINE)
        page = httpx.get(url).text
        for asset in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            assert httpx.get(url + asset[1:]).status_code == 200
        for path in ("tasks", "failures", "types", "types/demo.add", "workers", "system"):
            assert httpx.get(url + path).status_code == 200
    assert "Traceback" not in up.output
    assert "Warning" not in up.output


def test_without_the_extra_there_is_none_and_its_licence_is_in_the_wheel(
    whole: Environment, wheels: Path, tmp_path: Path
) -> None:
    assert not whole.distributions() & {"starlette", "uvicorn", "jinja2"}
    with Up(tmp_path, python=whole.python) as up:
        assert "dashboard" not in up.output
    names = _open(wheels, "taskgate").namelist()
    assert "taskgate/web/static/vendor/htmx-LICENSE" in names


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'broker.db'}"


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_a_task_runs(
    whole: Environment, setup: Setup, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with Up(tmp_path, env=setup.settings(request), python=whole.python) as up:
        call = ["-m", "taskgate.cli", "submit", "demo.add", "2", "3", "--wait", "--json"]
        answer = whole.run(*call, "--address", up.address, folder=tmp_path)
    assert json.loads(answer)["result"] == 5
    assert "Traceback" not in up.output
    assert "Warning" not in up.output


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_a_program_with_the_client_alone(
    resolution: Resolution,
    wheels: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    client = _environment(resolution, tmp_path_factory.mktemp("client"))
    client.install("taskgate-client", CLIENT, wheels, resolution)
    assert not client.distributions() & {"celery", "kombu", "sqlalchemy", "click", "taskgate"}
    with Up(tmp_path) as up:
        printed = client.run(CLIENT / "examples" / "submit.py", up.address, folder=tmp_path)
    assert "result: 2\n" in printed


def test_the_two_wheels_own_no_file_together(wheels: Path) -> None:
    taskgate, client = (set(_open(wheels, name).namelist()) for name in ("taskgate", "*_client"))
    assert not taskgate & client
    assert any(name.startswith("taskgate/v1/") for name in client)


@pytest.mark.parametrize("name", ["taskgate", "*_client"])
def test_a_wheel_has_its_description_and_licence(wheels: Path, name: str) -> None:
    wheel = _open(wheels, name)
    folder = next(entry for entry in wheel.namelist() if entry.endswith("METADATA"))
    metadata = message_from_string(wheel.read(folder).decode())
    assert str(metadata.get_payload()).startswith("# taskgate")
    assert metadata["Description-Content-Type"] == "text/markdown"
    licence = wheel.read(folder.replace("METADATA", "licenses/LICENSE"))
    assert licence == (ROOT / "LICENSE").read_bytes()


def _environment(resolution: Resolution, folder: Path) -> Environment:
    return Environment(folder / "env", pythons()[0 if resolution == "lowest-direct" else -1])


def _open(wheels: Path, name: str) -> ZipFile:
    [path] = wheels.glob(f"{name}-*.whl")
    return ZipFile(path)


def _url(request: pytest.FixtureRequest, prefix: str, fixture: str) -> str:
    return f"{prefix}{request.getfixturevalue(fixture)}"
