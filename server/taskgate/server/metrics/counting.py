"""Counters made from the record: what has happened since this server began to report.

A counter of Prometheus may begin at 0 whenever it likes, but must not fall, and must not count
anything twice. So the counters begin at 0 with the first reading. Each further one adds for good
what has settled, and shows on top of it what may yet change.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from celery.utils.nodenames import nodesplit
from sqlalchemy import Connection

from taskgate.store import counting
from taskgate.store.counting import NO_BUCKET, SETTLE, Happened
from taskgate.store.database import clock
from taskgate.store.lifecycle import Outcome, State

IDLE_SECONDS = 3600.0
"""A series that has not changed for so long is forgotten: hosts and task types come and go."""

ANY_HOST = "generic"
"""The host of what no worker had: celery-exporter's word for a host that is not named."""


class Series(NamedTuple):
    """What is counted by itself."""

    name: str
    """Of the counter or histogram, as Prometheus calls it."""
    queue: str
    task_type: str
    host: str
    detail: str = ""
    """The error's type; or the index of a histogram's bucket; or "sum"."""


Counts = Mapping[Series, float]


class Counting:
    """The counters of a server that reports."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._settled: defaultdict[Series, float] = defaultdict(float)
        self._shown: dict[Series, float] = {}
        self._changed_at: dict[Series, float] = {}

    def read(self, tx: Connection) -> Counts:
        """What has happened since the first reading, which is 0 of everything."""
        settled_until = clock.read(tx) - SETTLE
        is_first, since = self._since is None, self._since or settled_until
        fresh: defaultdict[Series, float] = defaultdict(float)
        for one in counting.happened(tx, since, settled_until):
            target = self._settled if one.is_settled else fresh
            for series, number in _counts(one):
                target[series] += number
        self._since = max(since, settled_until)
        if is_first:
            self._settled.update((series, -number) for series, number in fresh.items())
        self._show(fresh)
        return self._shown

    def _show(self, fresh: Counts) -> None:
        now = time.monotonic()
        for series in self._settled.keys() | fresh.keys():
            number = self._settled[series] + fresh.get(series, 0.0)
            # It falls where an attempt was claimed and given back, or a result was forgotten.
            shown = self._shown.get(series)
            if shown is None or number > shown:
                self._shown[series] = max(number, 0.0)
                self._changed_at[series] = now
        for series, changed_at in list(self._changed_at.items()):
            if now - changed_at > IDLE_SECONDS and series not in fresh:
                del self._shown[series], self._changed_at[series]
                self._settled.pop(series, None)


def host_of(worker: str | None) -> str:
    """The host of a worker's id, ``celery@host/3f9a1c20``, as celery-exporter names it."""
    if not worker:
        return ANY_HOST
    _, host = nodesplit(worker.partition("/")[0])
    return host or ANY_HOST


def _counts(one: Happened) -> Iterator[tuple[Series, float]]:
    """What the things count for."""
    host = host_of(one.worker)

    def series(name: str, detail: str = "") -> Series:
        return Series(name, one.queue, one.task_type, host, detail)

    if one.source == counting.RECORDED:
        yield series("celery_task_sent"), one.number
        return
    yield series("celery_task_received"), one.starts
    if one.word != Outcome.RETURNED:
        yield series("celery_task_started"), one.starts
    if one.source == counting.ENDED:
        yield from ((series(*what), number) for what, number in _ends(one))
    elif one.word == Outcome.FAILED:
        yield series("celery_task_retried"), one.number
    elif one.word == Outcome.LOST:
        yield series("taskgate_worker_losses"), one.number


def _ends(one: Happened) -> Iterator[tuple[tuple[str, str], float]]:
    match one.word:
        case State.SUCCEEDED:
            yield ("celery_task_succeeded", ""), one.number
        case State.FAILED:
            yield ("celery_task_failed", one.error or ""), one.number
        case _:
            yield ("celery_task_revoked", ""), one.number
    yield ("taskgate_worker_losses", ""), one.losses
    if one.run_bucket != NO_BUCKET:
        yield ("celery_task_runtime", str(one.run_bucket)), one.number
        yield ("celery_task_runtime", "sum"), one.ran_seconds
    if one.wait_bucket != NO_BUCKET:
        yield ("celery_task_queue_wait_time", str(one.wait_bucket)), one.number
        yield ("celery_task_queue_wait_time", "sum"), one.waited_seconds
