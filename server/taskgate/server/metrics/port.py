"""The HTTP port on which Prometheus asks for the metrics."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.registry import Collector

from taskgate.server import addresses
from taskgate.server.addresses import Address, AddressUnavailable
from taskgate.server.metrics.record import RecordCollector
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks.mirror import Mirror


class MetricsPort:
    """Answers Prometheus, in threads of its own, until it is stopped."""

    def __init__(self, settings: ServerSettings, own: Collector) -> None:
        """Begin to answer. ``own``: what the process counts of itself.

        Raises:
            AddressUnavailable: the address cannot be listened on.
        """
        address = addresses.parse(settings.taskgate_metrics_address or "")
        registry = CollectorRegistry()
        registry.register(own)
        self._server, self._thread = _listen(address, registry)
        self.address = address.with_port(self._server.server_port)
        """With the port that was taken."""
        # One connection to read with, one to write with.
        self._database = Database(settings.postgres_url, pool_size=2)
        mirror = settings.celery_result_backend
        self._record = RecordCollector(
            self._database,
            server=f"{socket.gethostname()}/{self.address}",
            queues=settings.taskgate_queues,
            mirror_name=None if mirror is None else Mirror(mirror).name,
        )
        registry.register(self._record)

    def stop(self) -> None:
        """Answer nothing more, and have another server report."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with suppress(StoreUnavailable):  # then the lease ends by itself
            self._record.leave()
        self._database.close()


def _listen(address: Address, registry: Collector) -> tuple[WSGIServer, threading.Thread]:
    try:
        return start_http_server(address.port or 0, address.host, registry)
    except OSError as exc:
        why = addresses.why_not_free(address) or exc
        text = address.with_port(address.port or 0)
        raise AddressUnavailable(f"cannot serve metrics on {text}: {why}") from exc
