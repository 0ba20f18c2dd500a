"""How failed attempts are retried, where a submission says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from taskgate.client.values import from_duration, to_duration
from taskgate.v1 import task_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How failed attempts are retried; it overrides the task type's own options."""

    max_attempts: int | None = None
    """How many attempts there may be in all; the task type's own number if None."""
    initial_backoff: float | None = None
    """Seconds before the second attempt; one if None."""
    backoff_multiplier: float | None = None
    """By what each wait is longer than the one before; 2 if None."""
    max_backoff: float | None = None
    """Seconds of the longest wait; ten minutes if None."""
    jitter: bool = False
    """Draw each wait at random between nothing and its full length."""
    non_retryable_errors: tuple[str, ...] = ()
    """Exceptions that are not retried: ``"ValueError"``, ``"package.module.Error"``."""

    @classmethod
    def of(cls, message: task_pb2.RetryPolicy) -> Self:
        """The policy in a message."""
        initial = message.initial_backoff if message.HasField("initial_backoff") else None
        longest = message.max_backoff if message.HasField("max_backoff") else None
        return cls(
            max_attempts=message.max_attempts or None,
            initial_backoff=None if initial is None else from_duration(initial),
            backoff_multiplier=message.backoff_multiplier or None,
            max_backoff=None if longest is None else from_duration(longest),
            jitter=message.jitter,
            non_retryable_errors=tuple(message.non_retryable_errors),
        )

    def message(self) -> task_pb2.RetryPolicy:
        """The policy as a message."""
        return task_pb2.RetryPolicy(
            max_attempts=self.max_attempts or 0,
            initial_backoff=to_duration(self.initial_backoff),
            backoff_multiplier=self.backoff_multiplier or 0,
            max_backoff=to_duration(self.max_backoff),
            jitter=self.jitter,
            non_retryable_errors=self.non_retryable_errors,
        )
