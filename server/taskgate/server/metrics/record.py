"""What the record says, for Prometheus: one server at a time says it.

All servers would say the same, and sums over them would count it as often as there are servers. So
each asks the record, when it is scraped, whether it is the one that reports. A server that is no
longer scraped loses that to another one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from taskgate.server.api.overview import FRESH_SECONDS, LOAD, old_at, read
from taskgate.server.metrics import celery, own
from taskgate.server.metrics.counting import Counting, host_of
from taskgate.server.requests.catalog import known_queues
from taskgate.store import mirror, outbox, reporting, schedules, workers
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=150)
"""How long a server reports after it was scraped last: Prometheus scrapes once a minute, or more
often."""

READ_SECONDS = 8.0
"""PostgreSQL ends a statement then: Prometheus waits 10 seconds."""

LOST_FOR = timedelta(hours=1)
"""How long a host is shown as down whose worker died."""

MOST_SCHEDULES = 1_000
"""Each has series of its own: the first by id are shown."""

_NAME = "metrics"


class RecordCollector(Collector):
    """The record's metrics, read when they are asked for, and once for all who ask at a time."""

    def __init__(
        self, database: Database, server: str, queues: Iterable[str], mirror_name: str | None
    ) -> None:
        """``server``: tells this one from others, the same after a restart.

        ``queues``: known whether or not there is anything in them. ``mirror_name``: the mirror
        that is told, if there is one.
        """
        self._database = database
        self._server = server
        self._queues = frozenset(queues)
        self._mirror_name = mirror_name
        self._lock = threading.Lock()
        self._counting = Counting()
        self._reported_at: float | None = None
        self._families: Sequence[Metric] = ()
        self._old_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        """All that this server has to say of the record."""
        with self._lock:
            if time.monotonic() >= self._old_at:
                begun_at = time.monotonic()
                self._families = list(self._read())
                self._old_at = old_at(begun_at, FRESH_SECONDS, LOAD)
            return self._families

    def leave(self) -> None:
        """Have another server report from now on."""
        with self._lock:
            if self._reported_at is not None:
                self._reported_at = None
                with self._database.write() as tx:
                    reporting.leave(tx, _NAME, self._server)

    def _read(self) -> Iterator[Metric]:
        families: list[Metric] = []
        is_up = True
        try:
            if self._reports():
                families = self._report()
        except StoreUnavailable as exc:
            logger.warning("no metrics of the record: %s", exc)
            is_up = False
        yield GaugeMetricFamily("taskgate_record_up", "1 if the database answers.", float(is_up))
        yield GaugeMetricFamily(
            "taskgate_reporter",
            "1 if this server says what the record says.",
            float(bool(families)),
        )
        yield from families

    def _reports(self) -> bool:
        """Whether this server reports. Who begins to report counts from 0."""
        now = time.monotonic()
        with self._database.write() as tx:
            is_reporter = reporting.take(tx, _NAME, self._server, LEASE)
        before, self._reported_at = self._reported_at, now if is_reporter else None
        if before is None or now - before > LEASE.total_seconds():
            self._counting = Counting()
        return is_reporter

    def _report(self) -> list[Metric]:
        with self._database.read() as tx:
            if not self._database.is_sqlite:
                tx.exec_driver_sql(f"SET LOCAL statement_timeout = {int(READ_SECONDS * 1000)}")
            reading = read(tx, self._queues | known_queues(tx), final={})
            counts = self._counting.read(tx)
            return [
                *celery.task_families(counts),
                *celery.gauge_families(reading, workers.active_counts(tx), _lost_hosts(tx)),
                *own.families(reading, outbox.backlog(tx), counts),
                *own.schedule_families(
                    schedules.list_after(tx, "", MOST_SCHEDULES), reading.read_at
                ),
                *([] if self._mirror_name is None else [self._mirror(tx, self._mirror_name)]),
            ]

    def _mirror(self, tx: Connection, name: str) -> Metric:
        return own.mirror_family(mirror.lag(tx, name))


def _lost_hosts(tx: Connection) -> set[str]:
    since = clock.read(tx) - LOST_FOR
    return {
        host_of(worker.id)
        for worker in workers.list_all(tx)
        if worker.lost_at is not None and worker.lost_at > since
    }
