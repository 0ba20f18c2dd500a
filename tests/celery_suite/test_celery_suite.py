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
    "test_canvas.py::test_chord::test_chord_in_chain_with_args",
    "test_canvas.py::test_chord::test_error_propagates_from_chord2",
    "test_canvas.py::test_chain::test_chain_child_replaced_with_chain_middle",
    "test_canvas.py::test_group::test_group_child_replaced_with_chain_last",
)


@pytest.mark.timeout(300)  # the first run downloads the suite
@pytest.mark.parametrize("way", OURS, ids=lambda way: way.name)
def test_celerys_own_tests_pass(way: Way, tmp_path: Path) -> None:
    outcomes = run(way, tmp_path, SELECTION)
    failed = {name: one.why for name, one in outcomes.items() if one.outcome != "passed"}
    assert not failed
    assert len(outcomes) >= len(SELECTION)
