"""The server as a whole: its parts, put together, started and stopped in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from celery import Celery
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import REGISTRY

from taskgate.keda import externalscaler_pb2_grpc
from taskgate.server import addresses
from taskgate.server.addresses import AddressUnavailable
from taskgate.server.api import scaler
from taskgate.server.api.authentication import Tokens
from taskgate.server.api.counts import Counts
from taskgate.server.api.events import Events
from taskgate.server.api.health import SERVICE_NAME, Health
from taskgate.server.api.interceptor import CallInterceptor
from taskgate.server.api.lists import Lists
from taskgate.server.api.logs import Logs
from taskgate.server.api.operations import Operations
from taskgate.server.api.overview import Overview
from taskgate.server.api.pauses import Pauses
from taskgate.server.api.polling import LongPolls
from taskgate.server.api.reflection import Reflection
from taskgate.server.api.scaler import Scaler
from taskgate.server.api.schedules import Schedules
from taskgate.server.api.service import TaskService
from taskgate.server.api.stats import Stats
from taskgate.server.api.submissions import Submissions
from taskgate.server.api.tasks import Tasks
from taskgate.server.background.mirror import Mirroring
from taskgate.server.background.operations import OperationWorker
from taskgate.server.background.reader import Reader
from taskgate.server.background.watcher import Watcher
from taskgate.server.background.writer import Writer
from taskgate.server.credentials import server_credentials
from taskgate.server.metrics.port import MetricsPort
from taskgate.server.offload import Offload
from taskgate.server.records import LIST_SECONDS, LIST_THREADS, THREADS, Records
from taskgate.server.requests.admission import Admission
from taskgate.server.requests.capacity import Capacity
from taskgate.server.requests.catalog import Catalog
from taskgate.server.settings import ServerSettings
from taskgate.store.database import schema
from taskgate.store.database.engine import Database
from taskgate.tasks.app import create_app
from taskgate.tasks.background.dispatcher import Dispatcher
from taskgate.tasks.background.loop import Loop
from taskgate.tasks.background.schedules import Ticker
from taskgate.tasks.background.sweeper import sweeper_of
from taskgate.tasks.brokers.publishing import Publisher
from taskgate.tasks.mirror import Mirror
from taskgate.v1 import task_service_pb2_grpc

logger = logging.getLogger(__name__)

GOAWAY_SECONDS = 0.5
"""For the clients to take the word that this server takes no more calls."""

DRAIN_TICK = 0.05

CONNECTION_GRACE_SECONDS = 60.0
"""What an old connection's calls have beyond the longest wait."""

INT_MAX = 2**31 - 1

FLUSH_SECONDS = 10.0
"""For what is still to be written and published once the last call was answered."""


class Dashboard(Protocol):
    """The pages that show what the service answers: a part from outside, by the name it has here.

    The server does not know how pages are made; who starts it says so.
    """

    @property
    def is_broken(self) -> bool:
        """It has ended, though nobody closed it."""

    async def start(self) -> str:
        """Begin to serve; the URL.

        Raises:
            AddressUnavailable: the address cannot be listened on.
        """

    def refuse(self) -> None:
        """Take no more requests, and end what is streamed."""

    async def stop(self) -> None:
        """End, once what is under way was answered."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a program that has a server within it gives the server, in place of its own."""

    app: Celery
    database: Database
    publisher: Publisher


MakeDashboard = Callable[[TaskService, ServerSettings, Tokens | None], Dashboard]


class TaskgateServer:
    """A server in the running event loop."""

    def __init__(
        self,
        settings: ServerSettings,
        *,
        shares_port: bool = False,
        make_dashboard: MakeDashboard | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        """Nothing is opened yet.

        ``shares_port``: other processes listen on the same one; the parent serves their metrics.
        ``surroundings``: made from the settings if None.

        Raises:
            TokensFileError: the tokens file is wrong.
        """
        self._settings = settings
        self._shares_port = shares_port
        tokens = _tokens(settings)
        self._interceptor = CallInterceptor(
            tokens,
            settings.taskgate_max_concurrent_calls,
            settings.taskgate_max_message_bytes,
            has_certificates=settings.taskgate_tls_client_ca is not None,
        )
        around = surroundings or _surroundings(settings)
        self._database, self._publisher = around.database, around.publisher
        self._records = Records(self._database)
        self._list_records = Records(self._database, LIST_THREADS, LIST_SECONDS)
        self._offload = Offload()
        self._dispatcher = Dispatcher(self._database, self._publisher)
        self._writer = Writer(self._database, self._dispatcher)
        self._reader = Reader(self._database)
        self._watcher = Watcher(self._records)
        self._polls = LongPolls(settings.taskgate_max_wait_seconds)
        sweeper = sweeper_of(settings, self._database, around.app, settings.retention)
        self._operations = OperationWorker(self._database, settings.taskgate_max_queued)
        self._loops: list[Loop] = [
            self._operations.loop,
            *(mirroring.loop for mirroring in _mirrorings(settings, self._database)),
            sweeper.loop,
            Ticker(self._database).loop,
            self._reader.loop,
            self._writer.loop,
            self._dispatcher.loop,
        ]
        self.health = Health(self._records, self._ended_parts)
        self._grpc: grpc.aio.Server | None = None
        self._service = self._make_service()
        self._scaler = Scaler(self._service.stats.overview)
        self._dashboard = make_dashboard and make_dashboard(self._service, settings, tokens)
        self.dashboard_url = ""
        """Where the dashboard is, once the server has started; empty if it has none."""
        self._metrics: MetricsPort | None = None

    async def start(self) -> str:
        """Begin to serve; the address, with the port that was taken.

        Raises:
            SchemaOutdated: the database is not a record, or not this version's.
            StoreUnavailable: the database does not answer.
            CredentialsError: a certificate or key cannot be read.
            AddressUnavailable: the address cannot be listened on.
        """
        try:
            await asyncio.to_thread(prepare, self._database)
            self._grpc = self._assemble()
            address = self._listen(self._grpc)
            if self._settings.taskgate_metrics_address and not self._shares_port:
                self._metrics = await asyncio.to_thread(MetricsPort, self._settings, REGISTRY)
            if self._dashboard is not None:
                self.dashboard_url = await self._dashboard.start()
        except BaseException:
            if self._metrics is not None:
                self._metrics.stop()
            self._close()
            raise
        self._watcher.start()
        for loop in self._loops:
            loop.start()
        await self._grpc.start()
        await self.health.start()
        return address

    @property
    def metrics_address(self) -> str | None:
        """Where Prometheus is answered, while the server runs; None if it is not."""
        return None if self._metrics is None else self._metrics.address

    async def stop(self) -> None:
        """End in order: the last answers, then what is left to write and to publish.

        Clients are told to go elsewhere before anything that waits is answered: those who call
        again at once would otherwise reach a server that is closed by then.

        Nothing to do for a server that was never started, or stopped before.
        """
        server, self._grpc = self._grpc, None
        if server is None:
            return
        await self.health.stop()
        draining = asyncio.create_task(server.stop(self._settings.taskgate_drain_seconds))
        await asyncio.wait([draining], timeout=GOAWAY_SECONDS)
        if self._dashboard is not None:
            self._dashboard.refuse()
        self._scaler.close()
        await self._watcher.close()
        self._polls.close()
        while self._interceptor.calls_under_way and not draining.done():
            await asyncio.wait([draining], timeout=DRAIN_TICK)
        await server.stop(None)  # health watches would stay for good
        await draining
        if self._dashboard is not None:
            await self._dashboard.stop()
        self._interceptor.close()
        await asyncio.to_thread(self._flush)
        if self._metrics is not None:
            await asyncio.to_thread(self._metrics.stop)
        self._close()

    def _assemble(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=[self._interceptor],
            options=_options(self._settings, shares_port=self._shares_port),
        )
        task_service_pb2_grpc.add_TaskServiceServicer_to_server(self._service, server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health.servicer, server)
        health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        externalscaler_pb2_grpc.add_ExternalScalerServicer_to_server(self._scaler, server)
        Reflection([SERVICE_NAME, health, scaler.SERVICE_NAME]).register(server)
        return server

    def _make_service(self) -> TaskService:
        settings = self._settings
        catalog = Catalog(self._records, settings.taskgate_queues)
        capacity = Capacity(self._records, settings.taskgate_max_queued)
        admission = Admission(
            self._records, catalog, capacity, self._offload, settings.taskgate_max_payload_bytes
        )
        submissions = Submissions(
            admission, self._writer, self._reader, self._records, self._offload
        )
        return TaskService(
            submissions=submissions,
            tasks=Tasks(
                self._records,
                self._reader,
                self._watcher,
                self._offload,
                settings.taskgate_max_wait_seconds,
            ),
            lists=Lists(self._list_records),
            stats=Stats(Overview(self._list_records, catalog)),
            pauses=Pauses(self._records, catalog),
            counts=Counts(self._list_records),
            operations=Operations(self._list_records, self._operations),
            events=Events(self._list_records, self._polls),
            logs=Logs(self._list_records, self._polls),
            schedules=Schedules(submissions, self._records, catalog),
        )

    def _listen(self, server: grpc.aio.Server) -> str:
        text = self._settings.taskgate_address
        credentials = server_credentials(self._settings)
        try:
            if credentials is None:
                port = server.add_insecure_port(text)
            else:
                port = server.add_secure_port(text, credentials)
        except RuntimeError as exc:
            why = addresses.why_not_free(addresses.parse(text)) or "gRPC does not say why"
            raise AddressUnavailable(f"cannot listen on {text}: {why}") from exc
        return addresses.parse(text).with_port(port)

    def _ended_parts(self) -> list[str]:
        """What has ended by itself, and would not come back without a restart."""
        ended = [loop.name for loop in self._loops if loop.is_broken]
        if self._watcher.is_broken:
            ended.append("watcher")
        if self._dashboard is not None and self._dashboard.is_broken:
            ended.append("dashboard")
        return ended

    def _flush(self) -> None:
        """Stop the loops in their order: what the writer writes the dispatcher publishes."""
        self._writer.refuse()
        for loop in self._loops:
            if not loop.stop(FLUSH_SECONDS):
                logger.warning("%s did not end within %g s", loop.name, FLUSH_SECONDS)
        self._publisher.close()

    def _close(self) -> None:
        self._offload.close()
        self._records.close()
        self._list_records.close()
        self._database.close()


def _surroundings(settings: ServerSettings) -> Surroundings:
    database = Database(settings.postgres_url, pool_size=THREADS + LIST_THREADS)
    app = create_app(settings)
    return Surroundings(app, database, Publisher(app))


def _mirrorings(settings: ServerSettings, database: Database) -> list[Mirroring]:
    """The mirror that is to be told, if there is one."""
    url = settings.celery_result_backend
    return [] if url is None else [Mirroring(database, Mirror(url))]


def _tokens(settings: ServerSettings) -> Tokens | None:
    path = settings.taskgate_tokens_file
    return None if path is None else Tokens(path)


def prepare(database: Database) -> None:
    """See that the record has the tables that it should have.

    An embedded database is ours to keep up to date; PostgreSQL's owner says when.

    Raises:
        SchemaOutdated: the database is not a record, or not this version's.
        StoreUnavailable: the database does not answer.
    """
    if database.is_sqlite:
        schema.upgrade(database)
    else:
        schema.check(database)


def _options(settings: ServerSettings, *, shares_port: bool) -> list[tuple[str, Any]]:
    max_calls = settings.taskgate_max_concurrent_calls
    return [
        # By default a second server would share the port without a word.
        ("grpc.so_reuseport", int(shares_port)),
        # Ours says what is wrong; gRPC's, which does not, is for what is far too long.
        ("grpc.max_receive_message_length", 2 * settings.taskgate_max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", 16 * 1024),
        # One connection leaves room for others.
        ("grpc.max_concurrent_streams", max(100, max_calls // 2)),
        # Calls that arrive faster than Python takes them wait, and are then refused with a reason;
        # by default gRPC drops some as CANCELLED from 1,000 on.
        ("grpc.server.max_pending_requests", 2 * max_calls),
        ("grpc.server.max_pending_requests_hard_limit", 4 * max_calls),
        # Clients that vanished are noticed, and may ask for the same.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        # Behind a balancer of connections, clients find new servers; long polls end in time.
        ("grpc.max_connection_age_ms", _milliseconds(settings.taskgate_max_connection_age_seconds)),
        (
            "grpc.max_connection_age_grace_ms",
            _milliseconds(settings.taskgate_max_wait_seconds + CONNECTION_GRACE_SECONDS),
        ),
        # Connections that never say what they want are ended.
        ("grpc.server_handshake_timeout_ms", 10_000),
    ]


def _milliseconds(seconds: float) -> int:
    """What gRPC takes; 0 is for ever."""
    return int(seconds * 1000) or INT_MAX
