"""docs/testing.md, run as a user's project would run it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)  # a whole suite runs within a test

ROOT = Path(__file__).parents[3]
_BLOCK = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)```", re.DOTALL)
_FAILURE = re.compile(r"<!-- failure -->\n```text\n(.*?)```", re.DOTALL)

_UNUSED = """
import sys

def test_nothing_was_imported_for_it():
    assert "taskgate.testing.plugin" in sys.modules
    assert not {"celery", "grpc", "sqlalchemy", "taskgate.client"} & sys.modules.keys()
"""

_FAILING = """
import reports

def test_it(gate):
    for customer in ("Ann", "Bob"):
        reports.monthly.delay(customer, pages=3)
    gate.submitted("reports.monthly", "Ann", pages=4)
"""


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _project(folder: Path) -> None:
    for document in ("README.md", "docs/testing.md"):
        for name, code in _BLOCK.findall((ROOT / document).read_text()):
            _write(folder, name, code)
    (folder / "pytest.ini").write_text("[pytest]\n")


def _pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_examples_pass_and_failures_look_as_shown(tmp_path: Path) -> None:
    _project(tmp_path)
    _write(tmp_path, "test_failing.py", _FAILING)
    done = _pytest(tmp_path)
    assert "1 failed, 10 passed" in done.stdout, done.stdout + done.stderr
    [expected] = _FAILURE.findall((ROOT / "docs/testing.md").read_text())
    shown = "\n".join(line.removeprefix("E").strip() for line in done.stdout.splitlines())
    assert "\n".join(line.strip() for line in expected.splitlines()) in shown, done.stdout


def test_it_costs_nothing_where_no_test_asks_for_it(tmp_path: Path) -> None:
    _write(tmp_path, "test_unused.py", _UNUSED)
    assert "1 passed" in _pytest(tmp_path).stdout
    left_out = _pytest(tmp_path, "-p", "no:taskgate", "--fixtures")
    assert left_out.returncode == 0
    assert "taskgate_app" not in left_out.stdout
