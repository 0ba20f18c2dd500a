"""Small, honest tasks to try things with."""

from __future__ import annotations

import logging
import time
from typing import Any

from taskgate.tasks.base import TaskgateTask, task

TICK_SECONDS = 0.05

logger = logging.getLogger("demo")


@task(name="demo.add")
def add(x: int | float, y: int | float) -> int | float:  # noqa: PYI041 - whole numbers stay whole
    """The sum of two numbers."""
    return x + y


@task(name="demo.echo")
def echo(value: Any) -> Any:
    """What it was given."""
    return value


@task(name="demo.countdown", bind=True)
def countdown(self: TaskgateTask, seconds: float) -> float:
    """Count seconds down, report progress, and stop when aborted; returns the seconds counted."""
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        if self.is_aborted():
            return elapsed
        self.report_progress(round(elapsed, 2), seconds, f"{seconds - elapsed:.0f} s to go")
        time.sleep(min(TICK_SECONDS, seconds - elapsed))
    return seconds


@task(name="demo.stubborn")
def stubborn(seconds: float) -> float:
    """Sleep without looking whether it was aborted; returns the seconds slept."""
    time.sleep(seconds)
    return seconds


class NotYet(Exception):
    """demo.flaky has not failed often enough."""


@task(
    name="demo.flaky",
    bind=True,
    autoretry_for=(NotYet,),
    max_retries=10,
    default_retry_delay=1,
)
def flaky(self: TaskgateTask, failures: int) -> int:
    """Fail so many times, be retried each time, and return the number of the attempt."""
    if self.request.retries < failures:
        logger.warning("failing on purpose, %d more to come", failures - self.request.retries - 1)
        raise NotYet(f"failure {self.request.retries + 1} of {failures}")
    retries: int = self.request.retries
    return retries + 1


@task(name="demo.fail")
def fail(message: str) -> None:
    """Fail with a message."""
    raise RuntimeError(message)
