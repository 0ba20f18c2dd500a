"""The metrics that celery-exporter has no name for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from taskgate.server.api.overview import Reading, slots
from taskgate.server.metrics.counting import Counts
from taskgate.store.outbox import Backlog
from taskgate.store.pauses import Kind as PauseKind
from taskgate.store.pauses import Target
from taskgate.store.schedules import Schedule, TickOutcome
from taskgate.store.workers import Worker

_OF_WORKERS = {
    "claims": "Attempts that the worker claimed for its pool.",
    "lost_claims": "Attempts that it could not claim: others had them, or they had ended.",
    "claim_statements": "Statements that it claimed them with.",
    "ends": "Ends of tasks that it recorded for its pool.",
    "end_statements": "Statements that it recorded them with.",
}


def families(reading: Reading, backlog: Backlog, counts: Counts) -> Iterator[Metric]:
    """What waits, where, and for how long; and which workers died."""
    yield from _tasks(reading)
    yield GaugeMetricFamily("taskgate_workers", "Living workers.", len(reading.workers))
    yield GaugeMetricFamily("taskgate_slots", "Tasks they run at once.", slots(reading.workers))
    yield GaugeMetricFamily(
        "taskgate_outbox_tasks", "Tasks that wait for a claim, delayed ones included.", backlog.rows
    )
    yield GaugeMetricFamily(
        "taskgate_outbox_due_tasks", "Those that should have been published by now.", backlog.due
    )
    yield GaugeMetricFamily(
        "taskgate_outbox_due_seconds",
        "For how long the oldest of these has been due.",
        backlog.due_seconds,
    )
    yield _losses(counts)
    yield from _of_workers(reading.workers)


def schedule_families(found: Sequence[Schedule], now: datetime) -> Iterator[Metric]:
    """What became of ticks, and whether anybody fires them."""
    ticks = CounterMetricFamily(
        "taskgate_schedule_ticks", "Ticks of schedules.", labels=["schedule", "outcome"]
    )
    late = GaugeMetricFamily(
        "taskgate_schedule_lateness_seconds",
        "By how much the last tick was fired late.",
        labels=["schedule"],
    )
    for one in found:
        for outcome in TickOutcome:
            number = float(one.counts.get(outcome.lower(), 0))
            ticks.add_metric([one.id, outcome.lower()], number)
        if one.last_at is not None and one.last_fired_at is not None:
            late.add_metric([one.id], (one.last_fired_at - one.last_at).total_seconds())
    yield ticks
    yield late
    due = [one.next_at for one in found if one.next_at is not None]
    overdue = (now - min(due)).total_seconds() if due else 0.0
    yield GaugeMetricFamily(
        "taskgate_schedule_overdue_seconds",
        "For how long a tick has been due that nobody has fired.",
        max(overdue, 0.0),
    )


def mirror_family(lag: timedelta) -> Metric:
    """How far the mirror is behind."""
    return GaugeMetricFamily(
        "taskgate_mirror_lag_seconds",
        "For how long the oldest end has waited that the mirror was not told of.",
        lag.total_seconds(),
    )


def _tasks(reading: Reading) -> Iterator[Metric]:
    tasks = GaugeMetricFamily(
        "taskgate_tasks", "Tasks that have not ended.", labels=["name", "queue_name", "state"]
    )
    for kind, activity in sorted(reading.by_kind.items()):
        for state, number in sorted(activity.live.items()):
            tasks.add_metric([kind.task_type, kind.queue, state], number)
    yield tasks
    oldest = GaugeMetricFamily(
        "taskgate_oldest_waiting_seconds",
        "For how long the task has been due that has waited longest for a worker.",
        labels=["queue_name"],
    )
    for queue, activity in sorted(reading.by_queue().items()):
        since = reading.read_at if activity.oldest is None else activity.oldest
        oldest.add_metric([queue], max((reading.read_at - since).total_seconds(), 0.0))
    yield oldest
    paused = GaugeMetricFamily(
        "taskgate_queue_paused", "1 if nothing new of the queue starts.", labels=["queue_name"]
    )
    for queue in sorted(reading.by_queue()):
        paused.add_metric([queue], float(Target(PauseKind.QUEUE, queue) in reading.pauses))
    yield paused


def _losses(counts: Counts) -> Metric:
    family = CounterMetricFamily(
        "taskgate_worker_losses",
        "Attempts whose worker, or whose pool process, died.",
        labels=["name", "queue_name"],
    )
    numbers: defaultdict[tuple[str, str], float] = defaultdict(float)
    for series, number in counts.items():
        is_loss = series.name == "taskgate_worker_losses"
        numbers[series.task_type, series.queue] += number if is_loss else 0.0
    for kind, number in sorted(numbers.items()):
        family.add_metric(kind, number)
    return family


def _of_workers(workers: Iterable[Worker]) -> Iterator[Metric]:
    living = sorted(workers, key=lambda worker: worker.id)
    for name, text in _OF_WORKERS.items():
        family = CounterMetricFamily(f"taskgate_worker_{name}", text, labels=["worker"])
        for worker in living:
            family.add_metric([worker.id], float((worker.counts or {}).get(name, 0)))
        yield family
