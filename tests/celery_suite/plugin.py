"""Loaded into Celery's own suite: manages its apps if asked to, and writes down what came out."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from taskgate.tasks import manage

SECONDS = 200
"""The longest that a test may take, and one more try at most; the suite's own: 300, and five.

Some wait 70 seconds to see that nothing happens, and a task is given 60 to end."""

_OUTCOMES = Path(os.environ["SUITE_OUTCOMES"])
_MANAGED = os.environ.get("SUITE_MANAGED") == "yes"
_APPS = {"celery_app", "celery_session_app"}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any],
) -> Generator[None, Any, Any]:
    """Manage the apps, before the suite uses them."""
    value = yield
    return manage(value) if _MANAGED and fixturedef.argname in _APPS else value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(SECONDS), append=False)
        flaky = item.get_closest_marker("flaky")
        if flaky is not None:
            once = pytest.mark.flaky(**{**flaky.kwargs, "reruns": 1})
            item.add_marker(once, append=False)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write a line for each phase that says something; a later one counts more."""
    if report.when == "call" or report.outcome != "passed":
        # As the runs that a flaky test has before its last one.
        line = {
            "test": report.nodeid.removeprefix("t/integration/"),
            "outcome": report.outcome,
            "why": _why(report),
        }
        with _OUTCOMES.open("a") as outcomes:
            outcomes.write(json.dumps(line) + "\n")


def _why(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr or "").partition("\n")[0][:300]
