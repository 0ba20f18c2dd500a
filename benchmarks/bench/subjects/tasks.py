"""How many tasks a second a worker runs, from a queue that was filled before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from bench import setups
from bench.environment import Environment, Scale
from bench.journal import Journal, WrongRun
from bench.measurements import Row, in_turns
from bench.systems import (
    PREFORK,
    THREADS,
    Dramatiq,
    Pool,
    Procrastinate,
    Stock,
    TaskSystem,
    with_psycopg2,
)
from support.waiting import wait_until

PATIENCE = 180.0
WARM = 0.1
"""The part of a run that only warms the worker up."""


def tasks_a_second(
    environment: Environment, system: TaskSystem, pool: Pool, task: str, number: int
) -> float:
    """Have a worker run so many tasks; the rate until the last end is recorded.

    Raises:
        WrongRun: not every task ran once and ended well.
    """
    before = system.ended()
    system.fill(task, number)
    journal = Journal(environment.new_folder("run") / "journal")
    with ExitStack() as exits:
        worker = system.start_worker(exits, pool, journal.path)
        wait_until(lambda: len(journal) >= number, PATIENCE, f"{system.name} runs all tasks")
        wait_until(lambda: system.ended() - before >= number, PATIENCE, "all ends are recorded")
        ended_at = time.monotonic_ns()
        worker.stop()
    journal.check(number)
    if system.ended() - before != number:
        raise WrongRun(f"{system.name} has {system.ended() - before} ends of {number} tasks")
    warm = max(int(number * WARM), pool.slots)
    return (number - warm) / (ended_at - list(journal.starts().values())[warm]) * 1e9


def measure_redis(environment: Environment, scale: Scale) -> Iterator[Row]:
    """No-op tasks on Redis, beside all others."""
    with ExitStack() as exits:
        ours, stock = setups.on_redis(environment, exits)
        others = [
            Stock(
                environment,
                "stock, results in PostgreSQL",
                environment.redis.empty_database(),
                "db+" + with_psycopg2(environment.new_database()),
            ),
            Procrastinate(environment, environment.new_database()),
            Dramatiq(environment, environment.redis.empty_database()),
        ]
        for pool in (PREFORK, THREADS):
            title = f"no-op tasks, {pool}"
            yield _row(environment, scale, title, "nothing", pool, [ours, stock, *others])


def measure_sizes(environment: Environment, scale: Scale) -> Iterator[Row]:
    """Tasks with a large result, and tasks that take time."""
    with ExitStack() as exits:
        both = setups.on_redis(environment, exits)
        for title, task, pool, part in (
            ("results of 10 kB", "ten_kilobytes", PREFORK, 2),
            ("tasks of 10 ms", "ten_milliseconds", PREFORK, 4),
            ("tasks of 10 ms", "ten_milliseconds", THREADS, 2),
            ("tasks of 1 s", "one_second", THREADS, 50),
        ):
            yield _row(environment, scale, f"{title}, {pool}", task, pool, both, part)


def measure_rabbitmq(environment: Environment, scale: Scale) -> Iterator[Row]:
    """No-op tasks on RabbitMQ."""
    with ExitStack() as exits:
        both = setups.on_rabbitmq(environment, exits)
        for pool in (PREFORK, THREADS):
            yield _row(environment, scale, f"no-op tasks, {pool}", "nothing", pool, both)


def measure_embedded(environment: Environment, scale: Scale) -> Iterator[Row]:
    """No-op tasks on SQLite files alone."""
    with ExitStack() as exits:
        both = setups.on_sqlite(environment, exits)
        for pool in (PREFORK, THREADS):
            yield _row(environment, scale, f"no-op tasks, {pool}", "nothing", pool, both, 4)


def _row(
    environment: Environment,
    scale: Scale,
    title: str,
    task: str,
    pool: Pool,
    systems: Sequence[TaskSystem],
    part: int = 1,
) -> Row:
    """``part``: by what the scale's number of tasks is divided."""
    number = max(scale.tasks // part, 2 * pool.slots)
    contestants: dict[str, Callable[[], float]] = {
        system.name: partial(tasks_a_second, environment, system, pool, task, number)
        for system in systems
    }
    return Row(title, "tasks a second", in_turns(contestants, scale.rounds))
