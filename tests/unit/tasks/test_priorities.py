from __future__ import annotations

import pytest

from taskgate.tasks.brokers import connecting as priorities


@pytest.mark.parametrize("zero_first", [True, False])
@pytest.mark.parametrize("priority", range(10))
def test_there_and_back(priority: int, zero_first: bool) -> None:
    there = priorities.to_broker(priority, zero_first=zero_first)

    assert priorities.from_broker(there, zero_first=zero_first) == priority


def test_nine_goes_first_on_redis() -> None:
    assert priorities.to_broker(9, zero_first=True) == 0


def test_other_producers_numbers_are_kept_within_bounds() -> None:
    assert priorities.from_broker(255, zero_first=False) == 9
    assert priorities.from_broker(-1, zero_first=True) == 9
    assert priorities.from_broker(None, zero_first=True) == priorities.MIDDLE
