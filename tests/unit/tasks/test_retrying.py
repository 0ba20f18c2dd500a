from __future__ import annotations

from datetime import timedelta

import pytest

from taskgate.store.record import RetryPolicy
from taskgate.tasks import failures


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (RetryPolicy(), [1, 2, 4, 8]),
        (RetryPolicy(initial_backoff=0.5, backoff_multiplier=3), [0.5, 1.5, 4.5, 13.5]),
        (RetryPolicy(initial_backoff=10, max_backoff=25), [10, 20, 25, 25]),
        (RetryPolicy(initial_backoff=0), [0, 0, 0, 0]),
    ],
)
def test_waits_grow_to_their_bound(policy: RetryPolicy, waits: list[float]) -> None:
    assert [failures.backoff(policy, n) for n in range(1, 5)] == [
        timedelta(seconds=wait) for wait in waits
    ]


def test_a_wait_beyond_all_numbers_is_the_longest() -> None:
    assert failures.backoff(RetryPolicy(), 10_000) == timedelta(minutes=10)


def test_jitter_draws_between_nothing_and_the_whole_wait() -> None:
    policy = RetryPolicy(initial_backoff=8, jitter=True)

    waits = [failures.backoff(policy, 1).total_seconds() for _ in range(200)]

    assert 0 <= min(waits) < 2
    assert 6 < max(waits) <= 8


class Base(Exception):
    pass


class Derived(Base):
    pass


@pytest.mark.parametrize("name", ["Derived", f"{__name__}.Derived", "Base", "Exception"])
def test_errors_named_as_not_retryable(name: str) -> None:
    assert not failures.is_retryable(RetryPolicy(non_retryable_errors=(name,)), Derived())


@pytest.mark.parametrize("name", ["ValueError", "other.Derived", "Deriv"])
def test_errors_not_named(name: str) -> None:
    assert failures.is_retryable(RetryPolicy(non_retryable_errors=(name,)), Derived())


@pytest.mark.parametrize(
    ("policy", "submitted", "of_type", "allowed"),
    [
        (RetryPolicy(max_attempts=2), 5, 7, 2),
        (RetryPolicy(), 5, 7, 5),
        (RetryPolicy(), None, 7, 8),
        (None, None, None, None),
    ],
)
def test_attempts_allowed(
    policy: RetryPolicy | None, submitted: int | None, of_type: int | None, allowed: int | None
) -> None:
    assert failures.attempts_allowed(policy, submitted, of_type) == allowed
