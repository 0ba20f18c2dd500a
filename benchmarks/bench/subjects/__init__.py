"""What can be measured, each subject by itself: ``make bench ROWS="submit get"``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.environment import Environment, Scale
from bench.measurements import Row
from bench.subjects import calls, costs, large, processes, slow_disk, start, tasks, watch


@dataclass(frozen=True, slots=True)
class Subject:
    """A measurement that can be made alone."""

    name: str
    title: str
    about: str
    measure: Callable[[Environment, Scale], Iterator[Row]]
    quick: bool = False
    """Whether it is part of ``make bench-quick``."""


SUBJECTS = [
    Subject(
        "tasks",
        "No-op tasks",
        "A queue is filled, then a worker started. The rate counts from a tenth of the tasks on, "
        "until the last end is recorded. Redis carries the messages, but for procrastinate's. "
        "Stock Celery and dramatiq keep no durable record; dramatiq keeps no results at all.",
        tasks.measure_redis,
        quick=True,
    ),
    Subject(
        "start",
        "From submit to start",
        "One task at a time is submitted to an idle prefork worker: from before the call until "
        "the task's first line runs.",
        start.measure,
    ),
    Subject(
        "submit",
        "Submit",
        "h2load keeps 128 calls in flight. The echo answers the same bytes without doing anything. "
        "Flask calls `apply_async`, Flower's API sends the task; what they answered is in Redis, "
        "what taskgate answered is on disk.",
        calls.measure_submit,
        quick=True,
    ),
    Subject(
        "submit-alone",
        "Submit, one at a time",
        "One caller waits for each answer: a Python gRPC client, and `apply_async` in a process.",
        calls.measure_alone,
        quick=True,
    ),
    Subject(
        "batch",
        "SubmitBatch",
        "One caller, one batch after the other, beside a loop of `apply_async`.",
        calls.measure_batch,
        quick=True,
    ),
    Subject(
        "get",
        "Get",
        "h2load keeps 128 calls in flight, of eight tasks.",
        calls.measure_get,
        quick=True,
    ),
    Subject("list", "List", "h2load keeps 128 calls in flight.", calls.measure_list, quick=True),
    Subject(
        "watch",
        "Watch",
        "Streams of a thousand tasks each; tasks are aborted one by one. From before the Abort "
        "until a stream says so.",
        watch.measure,
    ),
    Subject(
        "sizes",
        "Larger results, longer tasks",
        "As the no-op tasks, with what tasks do in practice.",
        tasks.measure_sizes,
    ),
    Subject("rabbitmq", "No-op tasks on RabbitMQ", "As on Redis.", tasks.measure_rabbitmq),
    Subject(
        "embedded",
        "No-op tasks on SQLite alone",
        "What runs with nothing configured, beside Celery's own SQL broker and backend.",
        tasks.measure_embedded,
    ),
    Subject(
        "processes",
        "A server with two processes",
        "Two processes share a port. The load generator needs a core of its own.",
        processes.measure,
    ),
    Subject(
        "large",
        "A large record",
        "The same calls on a large record and on a small one; a ratio of 1 says that size costs "
        "nothing.",
        large.measure,
    ),
    Subject(
        "slow-disk",
        "A slower disk",
        "PostgreSQL's `commit_delay` lengthens each flush of its log by two milliseconds.",
        slow_disk.measure,
    ),
    Subject(
        "costs",
        "What a task costs",
        "Counted by the operating system, by PostgreSQL (`pg_stat_statements`) and by Redis.",
        costs.measure,
    ),
]
"""In the order of their importance, in which they are measured."""
