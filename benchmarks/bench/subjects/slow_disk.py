"""What a disk whose fsync takes two milliseconds more does to the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from bench import setups
from bench.environment import Environment, Scale, execute_alone
from bench.measurements import Row, in_turns
from bench.subjects.calls import submit_alone, submit_calls, submit_rate
from bench.subjects.tasks import tasks_a_second
from bench.systems import PREFORK, THREADS, Procrastinate, Taskgate

DELAY = 2_000
"""Microseconds."""

SLOW = "taskgate, fsync + 2 ms"
FAST = "taskgate"


def measure(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Submits and no-op tasks, beside the disk as it is, and beside who needs no database."""
    with ExitStack() as exits:
        slow_database = slowed(environment.new_database())
        deployment = environment.deployment(
            exits, environment.redis.empty_database(), slow_database
        )
        slow = Taskgate(deployment)
        fast, stock = setups.on_redis(environment, exits)
        procrastinate = Procrastinate(environment, slowed(environment.new_database()))
        for pool in (PREFORK, THREADS):
            contestants: dict[str, Callable[[], float]] = {
                name: partial(tasks_a_second, environment, system, pool, "nothing", scale.tasks)
                for name, system in (
                    (SLOW, slow),
                    (FAST, fast),
                    (stock.name, stock),
                    ("procrastinate 10, fsync + 2 ms", procrastinate),
                )
            }
            values = in_turns(contestants, scale.rounds)
            yield Row(f"no-op tasks, {pool}", "tasks a second", values)
        # Last: what they submit stays in the queue.
        yield _alone(slow, fast, scale)
        yield _many(environment, slow, fast, scale)


def slowed(url: str) -> str:
    """The database, with a wait before each flush of the log.

    ``commit_delay`` is waited with the log's lock held, so it lengthens the flush as a slower disk
    would; but what is written meanwhile is flushed with it, where a disk would take it next time.
    """
    name = url.rpartition("/")[2]
    for setting in (f"commit_delay = {DELAY}", "commit_siblings = 0"):
        execute_alone(url, f'ALTER DATABASE "{name}" SET {setting}')
    return url


def _alone(slow: Taskgate, fast: Taskgate, scale: Scale) -> Row:
    contestants: dict[str, Callable[[], float]] = {
        name: partial(submit_alone, ours, scale.samples)
        for name, ours in ((SLOW, slow), (FAST, fast))
    }
    values = in_turns(contestants, scale.rounds, warm_up=True)
    return Row("Submit alone", "ms, p50", values, less_is_better=True)


def _many(environment: Environment, slow: Taskgate, fast: Taskgate, scale: Scale) -> Row:
    contestants: dict[str, Callable[[], float]] = {
        name: partial(submit_rate, ours, submit_calls(ours), scale.calls, environment)
        for name, ours in ((SLOW, slow), (FAST, fast))
    }
    values = in_turns(contestants, scale.rounds, warm_up=True)
    return Row("Submit, 128 in flight", "calls a second", values)
