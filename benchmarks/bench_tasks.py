"""The task of the benchmarks: it counts that it ran, and does nothing else."""

from __future__ import annotations

import os

from celery import shared_task
from redis import Redis

_counter = Redis.from_url(os.environ["BENCH_COUNTER"])


@shared_task(name="bench.count")
def count() -> None:
    """Count one more."""
    _counter.incr("done")
