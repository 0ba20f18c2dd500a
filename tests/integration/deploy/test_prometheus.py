"""What `deploy/` tells Prometheus and Grafana is about metrics that there are, and is valid."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.metrics import sample, scrape, scrape_text
from support.ports import free_port
from support.require import require
from support.up import Up
from support.waiting import wait_until

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "taskgate.json"
DOCUMENTED = ROOT / "docs" / "metrics.md"

OURS = re.compile(r"\b(?:celery|taskgate|grpc_server)_[a-z_]+\b")
SUFFIXES = re.compile(r"_(?:total|bucket|sum|count|created)$")


@dataclass(frozen=True)
class Scraped:
    text: str
    families: frozenset[str]
    """Names without what samples add to them."""


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Scraped:
    """The metrics of a server and a worker that have run tasks; a file is their mirror."""
    folder = tmp_path_factory.mktemp("up")
    address = f"127.0.0.1:{free_port()}"
    mirror = f"db+sqlite:///{folder / 'results.db'}"
    settings = {"TASKGATE_METRICS_ADDRESS": address, "CELERY_RESULT_BACKEND": mirror}
    settings["TASKGATE_LEASE_SECONDS"] = "2"  # workers tell their counts with each renewal
    with Up(folder, "--pool=threads", env=settings) as up:
        scrape(address)  # from now on it counts
        for words in (("demo.add", "1", "2"), ("demo.fail", "no")):
            command = [sys.executable, "-m", "taskgate.cli", "submit", *words, "--wait"]
            subprocess.run([*command, "--address", up.address], capture_output=True, check=False)
        wait_until(lambda: claims(address) >= 2, what="the worker has told its counts")
        found = scrape(address)
        text = scrape_text(address)
        assert sum_of(found, "celery_task_succeeded_total") == 1
        assert sum_of(found, "celery_task_failed_total") == 1
        assert sum_of(found, "celery_worker_up") == 1
        assert sum_of(found, "taskgate_worker_ends_total") == 1  # failures are recorded elsewhere
        assert found[sample("celery_active_worker_count", queue_name="celery")] == 1
    families = {family.name for family in text_string_to_metric_families(text)}
    ours = {SUFFIXES.sub("", name) for name in families if OURS.fullmatch(name)}
    return Scraped(text, frozenset(ours))


def sum_of(found: object, name: str) -> float:
    assert isinstance(found, dict)
    return float(sum(value for (metric, _), value in found.items() if metric == name))


def claims(address: str) -> float:
    return sum_of(scrape(address), "taskgate_worker_claims_total")


def test_every_metric_is_documented(scraped: Scraped) -> None:
    rows = re.findall(r"^\| `([a-z_]+)`", DOCUMENTED.read_text(), re.MULTILINE)
    assert {SUFFIXES.sub("", name) for name in rows} == scraped.families


@pytest.mark.parametrize("path", [DASHBOARD, PROMETHEUS / "taskgate.rules.yml"])
def test_boards_and_alerts_are_about_metrics_that_there_are(scraped: Scraped, path: Path) -> None:
    text = path.read_text()
    if path is DASHBOARD:
        board = json.loads(text)
        text = "\n".join(
            target["expr"] for panel in board["panels"] for target in panel.get("targets", ())
        )
    named = {SUFFIXES.sub("", name) for name in OURS.findall(text)}
    assert len(named) > 5
    assert named <= scraped.families


def test_prometheus_reads_what_it_scrapes(scraped: Scraped) -> None:
    promtool = require("promtool")
    told = subprocess.run(
        [promtool, "check", "metrics"],
        input=scraped.text,
        capture_output=True,
        text=True,
        check=False,
    )
    # 3: celery-exporter's names are not as promtool likes them.
    assert told.returncode in {0, 3}, told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "taskgate.rules.yml"),
        ("test", "rules", "taskgate.rules.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_accepts(words: tuple[str, ...]) -> None:
    promtool = require("promtool")
    told = subprocess.run(
        [promtool, *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_board_shows_something_in_each_panel() -> None:
    board = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert panels
    assert all(panel["targets"] and panel["title"] for panel in panels)
    identities = [panel["id"] for panel in board["panels"]]
    assert len(identities) == len(set(identities))
