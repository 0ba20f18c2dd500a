"""When a failed attempt is tried again, where the submission said so."""

from __future__ import annotations

import random
from datetime import timedelta

from taskgate.store.record import RetryPolicy

INITIAL_BACKOFF = 1.0
BACKOFF_MULTIPLIER = 2.0
MAX_BACKOFF = 600.0


def backoff(policy: RetryPolicy, retries: int) -> timedelta:
    """How long to wait before retry number ``retries`` (from 1)."""
    initial = INITIAL_BACKOFF if policy.initial_backoff is None else policy.initial_backoff
    multiplier = policy.backoff_multiplier or BACKOFF_MULTIPLIER
    longest = MAX_BACKOFF if policy.max_backoff is None else policy.max_backoff
    try:
        wait = min(initial * multiplier ** (retries - 1), longest)
    except OverflowError:
        wait = longest
    # Not for secrets: only so that tasks that failed together do not come back together.
    return timedelta(seconds=random.uniform(0, wait) if policy.jitter else wait)  # noqa: S311


def is_retryable(policy: RetryPolicy, error: BaseException) -> bool:
    """Whether neither the error's class nor a base of it is named as not retryable."""
    names = {name for cls in type(error).__mro__ for name in _names(cls)}
    return names.isdisjoint(policy.non_retryable_errors)


def attempts_allowed(
    policy: RetryPolicy | None, max_attempts: int | None, type_max_retries: int | None
) -> int | None:
    """How many attempts a task may use up by failing; None if that is not bounded."""
    if policy is not None and policy.max_attempts:
        return policy.max_attempts
    if max_attempts:
        return max_attempts
    return None if type_max_retries is None else type_max_retries + 1


def _names(cls: type) -> tuple[str, str, str]:
    return cls.__name__, cls.__qualname__, f"{cls.__module__}.{cls.__qualname__}"
