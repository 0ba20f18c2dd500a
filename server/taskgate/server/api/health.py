"""gRPC health: whether calls would be answered now, and whether the server is whole."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer
from sqlalchemy import text

from taskgate.server.records import Records
from taskgate.store.errors import StoreUnavailable
from taskgate.v1 import task_service_pb2

logger = logging.getLogger(__name__)

SERVICE_NAME = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"].full_name

READINESS = ("", SERVICE_NAME)
"""NOT_SERVING while the database is away, during a shutdown, and without liveness."""

LIVENESS = "liveness"
"""NOT_SERVING once a part of the server has ended by itself: only a restart brings it back, which
would not bring the database back."""

CHECK_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""How long the database may take to say that it is there."""

_Status = health_pb2.HealthCheckResponse


class Health:
    """The health service, kept true by a look at the database every few seconds."""

    def __init__(self, records: Records, ended_parts: Callable[[], Sequence[str]]) -> None:
        """``ended_parts``: names of those that should run and do not."""
        self.ended_parts: Sequence[str] = ()
        """Those that were found to have ended."""
        self._find_ended_parts = ended_parts
        self._when_not_whole: Callable[[], None] = lambda: None
        self.servicer = HealthServicer()
        self._records = records
        self._is_ready: bool | None = None
        self._checks: asyncio.Task[None] | None = None

    def when_not_whole(self, call: Callable[[], None]) -> None:
        """Have something called once a part has ended by itself."""
        self._when_not_whole = call

    async def start(self) -> None:
        """Say that the server serves, and begin to check."""
        await self.servicer.set(LIVENESS, _Status.SERVING)
        await self._set(is_ready=True)
        self._checks = asyncio.create_task(self._check_again_and_again(), name="taskgate-health")

    async def stop(self) -> None:
        """Say NOT_SERVING from now on."""
        if self._checks is not None:
            self._checks.cancel()
            await asyncio.wait([self._checks])
        await self.servicer.enter_graceful_shutdown()

    async def _check_again_and_again(self) -> None:
        while not (ended := self._find_ended_parts()):
            await asyncio.sleep(CHECK_SECONDS)
            await self._set(is_ready=await self._database_answers())
        logger.critical("this server must be restarted: its %s has ended", ", ".join(ended))
        await self._set(is_ready=False)
        await self.servicer.set(LIVENESS, _Status.NOT_SERVING)
        self.ended_parts = ended
        self._when_not_whole()

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._records.read(lambda tx: tx.execute(text("SELECT 1")).scalar_one())
        except (StoreUnavailable, TimeoutError) as exc:
            if self._is_ready:
                logger.warning("not ready: %s", str(exc) or "the database takes too long")
            return False
        if not self._is_ready:
            logger.info("ready again: the database answers")
        return True

    async def _set(self, *, is_ready: bool) -> None:
        if is_ready != self._is_ready:
            self._is_ready = is_ready
            for service in READINESS:
                await self.servicer.set(
                    service, _Status.SERVING if is_ready else _Status.NOT_SERVING
                )
