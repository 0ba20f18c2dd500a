"""A short selection of Celery's own integration tests; `make celery-suite` runs them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from celery_suite.suite import OURS, Way, run

SELECTION = (
    "test_tasks.py::test_tasks::test_simple_call",
    "test_tasks.py::test_tasks::test_multiprocess_producer",
    "test_tasks.py::test_tasks::test_reject_without_requeue_stores_failure",
    "test_tasks.py::test_tasks::test_ignore_result",
    "test_canvas.py::test_link_error::test_link_error_using_signature",
    "test_canvas.py::test_chain::test_complex_chain",
    "test_canvas.py::test_chain::test_chain_on_error",
    "test_canvas.py::test_result_set::test_result_set",
    "test_canvas.py::test_group::test_nested_group",
    "test_canvas.py::test_chord::test_simple_chord_with_a_delay_in_group_save",
    "test_canvas.py::test_chord::test_group_chain",
)


@pytest.mark.timeout(300)  # the first run downloads the suite
@pytest.mark.parametrize("way", OURS, ids=lambda way: way.name)
def test_celerys_own_tests_pass(way: Way, tmp_path: Path) -> None:
    outcomes = run(way, tmp_path, SELECTION)
    failed = {name: one.why for name, one in outcomes.items() if one.outcome != "passed"}
    assert not failed
    assert len(outcomes) >= len(SELECTION)
