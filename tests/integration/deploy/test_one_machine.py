"""What `deploy/` has for one machine: systemd's units, the image, the compose file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from taskgate.server.settings import ServerSettings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = DEPLOY / "compose" / "compose.yaml"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    # It looks for the program, too.
    here = Path(sys.executable).with_name("taskgate")
    checked = tmp_path / unit.name
    checked.write_text(unit.read_text().replace("/opt/taskgate/bin/taskgate", str(here)))
    told = subprocess.run(
        [analyze, "verify", "--man=no", checked], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert unit.name.partition(".")[0].rstrip("@") not in told.stderr


def test_the_server_of_systemd_has_time_to_drain() -> None:
    [seconds] = re.findall(
        r"^TimeoutStopSec=(\d+)$",
        (DEPLOY / "systemd" / "taskgate-server.service").read_text(),
        re.MULTILINE,
    )
    assert int(seconds) > ServerSettings.model_fields["taskgate_drain_seconds"].default + 10


def test_the_environment_file_has_settings_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "systemd" / "taskgate.env.example").read_text()
    given = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert {name.lower() for name in given} <= set(ServerSettings.model_fields)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert ServerSettings().taskgate_tasks == ("mypackage.tasks",)


def test_the_containers_environment_is_one_that_the_server_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, value in services["server"]["environment"].items():
        monkeypatch.setenv(name, str(value))
    settings = ServerSettings()
    assert settings.taskgate_metrics_address == "0.0.0.0:9464"
    assert not settings.postgres_url.startswith("sqlite")
    alive = services["worker"]["environment"]["TASKGATE_WORKER_ALIVE_FILE"]
    assert alive in services["worker"]["healthcheck"]["test"][1]
    scraped = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    assert re.findall(r'"(\w+):9464"', scraped) == ["server"]


def test_compose_understands_the_file() -> None:
    compose = shutil.which("docker-compose") or shutil.which(
        "docker-compose", path=str(ROOT / ".tools" / "bin")
    )
    if compose is None:
        pytest.skip("docker-compose is not installed")
    told = subprocess.run(
        [compose, "--file", COMPOSE, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    services = json.loads(told.stdout)["services"]
    published = [port for one in services.values() for port in one.get("ports", ())]
    assert published
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    mounted = [
        Path(volume["source"])
        for one in services.values()
        for volume in one.get("volumes", ())
        if volume["type"] == "bind"
    ]
    assert mounted
    assert all(path.exists() for path in mounted)


def test_the_image_copies_what_the_wheels_are_built_of() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = {
        word
        for words in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
        for word in words.split()
    }
    ignored = (ROOT / ".dockerignore").read_text()
    assert copied == set(re.findall(r"^!(.*)$", ignored, re.MULTILINE))
    assert all((ROOT / path).exists() for path in copied)


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DEPLOY / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout
