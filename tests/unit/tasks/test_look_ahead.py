"""How many messages a worker takes beyond its slots."""

from __future__ import annotations

import pytest

from taskgate.tasks.worker.look_ahead import AHEAD_SECONDS, LEVELS, LookAhead


def after(*seconds: float) -> int:
    look_ahead = LookAhead()
    for one in seconds:
        look_ahead.observe(one)
    return look_ahead.per_slot


def test_none_before_any_has_run() -> None:
    assert after() == 0


@pytest.mark.parametrize("seconds", [0.0001, 0.0005, 0.001, 0.003, 0.01, 0.02, 1.0, 600.0])
def test_no_more_than_a_slot_finishes_in_time(seconds: float) -> None:
    assert after(seconds) * seconds <= AHEAD_SECONDS


def test_most_for_the_quickest() -> None:
    assert after(0.0001) == max(LEVELS)


def test_none_for_long_ones() -> None:
    assert after(0.1) == 0


def test_a_long_one_counts_at_once() -> None:
    assert after(*[0.0001] * 1000, 0.5) == 0


def test_it_is_forgotten_little_by_little() -> None:
    assert after(0.5, *[0.0001] * 10) == 0
    assert after(0.5, *[0.0001] * 100) == max(LEVELS)
