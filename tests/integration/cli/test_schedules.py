"""``schedules``: made, shown, changed, paused, triggered, and taken over from Celery's beat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.up import Up
from support.waiting import wait_until

Taskgate = Callable[..., subprocess.CompletedProcess[str]]

APP = """
from datetime import timedelta
from celery import Celery
from celery.schedules import crontab, schedule, solar

app = Celery("shop", broker="memory://")
app.conf.timezone = "Europe/Berlin"
add = {"task": "demo.add", "args": (2, 3)}
app.conf.beat_schedule = {
    "every night": {**add, "schedule": crontab(minute=30, hour="2,14", day_of_week="mon-fri"),
                    "options": {"queue": "celery", "expires": 60}},
    "minutes": {**add, "schedule": timedelta(minutes=5)},
    "seconds": {**add, "schedule": 90.0},
    "stepped": {**add, "schedule": schedule(30)},
    "sunrise": {**add, "schedule": object.__new__(solar)},
    "both days": {**add, "schedule": crontab(0, 0, day_of_week="1", day_of_month="1")},
    "routed": {**add, "schedule": 60, "options": {"exchange": "x"}},
}
"""


def test_from_its_making_to_its_end(taskgate: Taskgate) -> None:
    words = ("demo.add", "2", "3", "--cron", "30 2 * * *", "--zone", "Europe/Berlin")
    made = taskgate("schedules", "create", "nightly", *words, "--json")
    [one] = json.loads(made.stdout)["schedules"]
    assert (one["cron"], one["task"]["args"], len(one["next_times"])) == ("30 2 * * *", [2, 3], 5)
    assert "nightly" in taskgate("schedules", "list").stdout
    assert "Europe/Berlin" in taskgate("schedules", "show", "nightly").stdout
    changed = taskgate("schedules", "update", "nightly", "--every", "6h", "--overlap", "allow")
    assert "every 21600s" in changed.stdout, changed.stderr
    assert taskgate("schedules", "update", "nightly", "5").returncode == 2
    assert taskgate("schedules", "delete", "nightly").returncode == 0
    assert taskgate("schedules", "show", "nightly").returncode == 4


def test_paused_resumed_and_triggered(taskgate: Taskgate) -> None:
    words = ("demo.add", "2", "3", "--cron", "@daily")
    assert taskgate("schedules", "create", "nightly", *words).returncode == 0
    assert taskgate("schedules", "pause", "nightly", "--reason", "holidays").returncode == 0
    assert "holidays" in taskgate("schedules", "show", "nightly").stdout
    assert taskgate("schedules", "resume", "nightly").returncode == 0
    task_id = taskgate("schedules", "trigger", "nightly").stdout.strip()
    assert task_id in taskgate("list", "--schedule", "nightly").stdout
    assert taskgate("count", "--schedule", "nightly").stdout == "1\n"
    assert taskgate("schedules", "delete", "nightly").returncode == 0


def test_it_ticks(taskgate: Taskgate) -> None:
    words = ("demo.add", "2", "3", "--every", "1s")
    assert taskgate("schedules", "create", "often", *words).returncode == 0

    def tick_succeeded() -> bool:
        shown = taskgate("schedules", "show", "often", "--json").stdout
        [one] = json.loads(shown)["schedules"]
        tick = one["last_tick"]
        return tick is not None and tick["task_state"] == "SUCCEEDED"

    wait_until(tick_succeeded, 60, "a tick's task")
    assert taskgate("schedules", "delete", "often").returncode == 0


def test_what_beat_had(taskgate: Taskgate, up: Up, tmp_path: Path) -> None:
    (tmp_path / "shop_app.py").write_text(APP)

    def take_over(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "taskgate.cli", "schedules", "import", *words],
            env={**os.environ, "TASKGATE_ADDRESS": up.address, "PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    dry = take_over("shop_app", "--dry-run")
    assert "every night: schedule every-night" in dry.stdout, dry.stderr
    for _ in range(2):  # the second time changes nothing
        done = take_over("shop_app")
        assert done.returncode == 4
        assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
            "both days",
            "routed",
            "sunrise",
        ]
        assert "sunset" in done.stderr
    found = json.loads(taskgate("schedules", "list", "--json").stdout)["schedules"]
    timings = {one["id"]: (one["cron"], one["interval"], one["time_zone"]) for one in found}
    assert timings == {
        "every-night": ("30 2,14 * * mon-fri", None, "Europe/Berlin"),
        "minutes": ("", 300.0, ""),
        "seconds": ("", 90.0, ""),
        "stepped": ("", 30.0, ""),
    }
    [night] = [one for one in found if one["id"] == "every-night"]
    assert (night["task"]["queue"], night["task"]["ttl"]) == ("celery", 60.0)
    assert take_over("no_such_app").returncode == 2
