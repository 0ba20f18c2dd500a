"""The metrics of celery-exporter, under its names and labels, made from the record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from taskgate.server.api.overview import Reading, slots
from taskgate.server.metrics.counting import Counts, Series, host_of
from taskgate.store.counting import RUN_BUCKETS, WAIT_BUCKETS
from taskgate.store.lifecycle import State

_TASK = ("name", "hostname", "queue_name")

_COUNTERS = {
    "celery_task_received": "Attempts that workers claimed.",
    "celery_task_started": "Attempts that started; one that a worker gave back is received only.",
    "celery_task_succeeded": "Tasks that succeeded.",
    "celery_task_retried": "Attempts that failed and were followed by another.",
    "celery_task_revoked": "Tasks that were aborted, or expired before they started.",
    "celery_task_rejected": "Always 0: a task that raises Reject fails, and is counted there.",
}

_HISTOGRAMS = {
    "celery_task_runtime": ("How long tasks that succeeded ran, in seconds.", RUN_BUCKETS),
    "celery_task_queue_wait_time": (
        "Seconds from when a task was due until it started, counted when it has ended.",
        WAIT_BUCKETS,
    ),
}

Place = tuple[str, str, str]
"""Queue, task type and host."""


def task_families(counts: Counts) -> Iterator[Metric]:
    """What happened to tasks."""
    by_name: defaultdict[str, list[tuple[Series, float]]] = defaultdict(list)
    for series, number in counts.items():
        by_name[series.name].append((series, number))
    sent = CounterMetricFamily("celery_task_sent", "Tasks that were recorded.", labels=_TASK)
    for series, number in by_name["celery_task_sent"]:
        sent.add_metric(_labels(_place(series)), number)
    yield sent
    # All where any was: a rate of what never happened is 0, not nothing.
    places = {_place(series) for series in counts if series.name != "celery_task_sent"}
    for name, text in _COUNTERS.items():
        family = CounterMetricFamily(name, text, labels=_TASK)
        numbers = {_place(series): number for series, number in by_name[name]}
        for place in sorted(places):
            family.add_metric(_labels(place), numbers.get(place, 0.0))
        yield family
    yield _failed(by_name["celery_task_failed"], places)
    for name, (text, buckets) in _HISTOGRAMS.items():
        yield _histogram(name, text, buckets, by_name[name])


def gauge_families(
    reading: Reading, running: dict[str, int], lost_hosts: Iterable[str]
) -> Iterator[Metric]:
    """Workers and queues as they are now. ``running``: how many tasks each worker runs, by its id.

    ``lost_hosts``: where workers died lately.
    """
    up = GaugeMetricFamily(
        "celery_worker_up", "1 where a worker lives, 0 where one died lately.", labels=["hostname"]
    )
    active = GaugeMetricFamily(
        "celery_worker_tasks_active", "Tasks that the host's workers run.", labels=["hostname"]
    )
    on_host: defaultdict[str, int] = defaultdict(int)
    for worker in reading.workers:
        on_host[host_of(worker.id)] += running.get(worker.id, 0)
    for host in sorted({*on_host, *lost_hosts}):
        up.add_metric([host], float(host in on_host))
        active.add_metric([host], on_host.get(host, 0))
    yield up
    yield active
    yield from _queue_families(reading)


def _queue_families(reading: Reading) -> Iterator[Metric]:
    length = GaugeMetricFamily(
        "celery_queue_length", "Tasks that wait for a worker.", labels=["queue_name"]
    )
    workers = GaugeMetricFamily(
        "celery_active_worker_count", "Workers of the queue.", labels=["queue_name"]
    )
    processes = GaugeMetricFamily(
        "celery_active_process_count",
        "How many tasks the queue's workers run at once.",
        labels=["queue_name"],
    )
    for queue, activity in sorted(reading.by_queue().items()):
        its_workers = reading.workers_of(queue)
        length.add_metric([queue], activity.live.get(State.QUEUED, 0))
        workers.add_metric([queue], len(its_workers))
        processes.add_metric([queue], slots(its_workers))
    yield from (length, workers, processes)


def _failed(found: Iterable[tuple[Series, float]], places: Collection[Place]) -> Metric:
    family = CounterMetricFamily(
        "celery_task_failed",
        "Tasks that failed, by the class of the exception or the reason.",
        labels=[*_TASK[:2], "exception", _TASK[2]],
    )
    rows = {(_place(series), series.detail): number for series, number in found}
    for place in places:
        rows.setdefault((place, ""), 0.0)
    for place, error in sorted(rows):
        name, host, queue = _labels(place)
        family.add_metric([name, host, error, queue], rows[place, error])
    return family


def _histogram(
    name: str, text: str, bounds: Sequence[float], found: Iterable[tuple[Series, float]]
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=_TASK)
    by_place: defaultdict[Place, dict[str, float]] = defaultdict(dict)
    for series, number in found:
        by_place[_place(series)][series.detail] = number
    for place, details in sorted(by_place.items()):
        cumulated, buckets = 0.0, []
        for index, bound in enumerate([*map(str, bounds), "+Inf"]):
            cumulated += details.get(str(index), 0.0)
            buckets.append((bound, cumulated))
        family.add_metric(_labels(place), buckets, details.get("sum", 0.0))
    return family


def _place(series: Series) -> Place:
    return series.queue, series.task_type, series.host


def _labels(place: Place) -> tuple[str, str, str]:
    """The values of ``_TASK``."""
    queue, task_type, host = place
    return task_type, host, queue
