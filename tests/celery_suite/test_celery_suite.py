"""A short selection of Celery's own integration tests; `make celery-suite` runs them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from celery_suite.suite import OURS, Way, run

SELECTION = (
    "test_tasks.py::test_tasks::test_simple_call",
    "test_tasks.py::test_tasks::test_reject_without_requeue_stores_failure",
    "test_tasks.py::test_tasks::test_ignore_result",
    "test_canvas.py::test_link_error::test_link_error_using_signature",
    "test_canvas.py::test_result_set::test_result_set",
    "test_canvas.py::test_group::test_nested_group",
)

CHORDS = ("test_canvas.py::test_chord::test_chord_in_chain_with_args",)
"""On a managed app; `make celery-suite` shows them on both ways."""


@pytest.mark.timeout(300)  # the first run downloads the suite
@pytest.mark.parametrize("way", OURS, ids=lambda way: way.name)
def test_celerys_own_tests_pass(way: Way, tmp_path: Path) -> None:
    selection = (*SELECTION, *CHORDS) if way.managed else SELECTION
    outcomes = run(way, tmp_path, selection)
    failed = {name: one.why for name, one in outcomes.items() if one.outcome != "passed"}
    assert not failed
    assert len(outcomes) >= len(selection)
