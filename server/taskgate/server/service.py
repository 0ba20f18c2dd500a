"""TaskService: each call is read, done and answered here; what it takes is in the other modules."""

from __future__ import annotations

import logging
from typing import Any

import grpc

from taskgate.server import aborting, checks, times
from taskgate.server.callers import caller
from taskgate.server.conversion import task_message
from taskgate.server.new_tasks import Admission
from taskgate.server.records import Records
from taskgate.server.violations import Violations
from taskgate.server.waiting import Waiting
from taskgate.server.watcher import Watcher
from taskgate.server.writer import Writer
from taskgate.store import queries
from taskgate.store.errors import TaskNotFinal
from taskgate.v1 import task_service_pb2, task_service_pb2_grpc

logger = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class TaskService(task_service_pb2_grpc.TaskServiceServicer):
    """The calls."""

    def __init__(
        self,
        records: Records,
        admission: Admission,
        writer: Writer,
        watcher: Watcher,
        waiting: Waiting,
    ) -> None:
        self._records = records
        self._admission = admission
        self._writer = writer
        self._watcher = watcher
        self._waiting = waiting

    async def Submit(
        self, request: task_service_pb2.SubmitRequest, context: Context
    ) -> task_service_pb2.SubmitResponse:
        """Record a task and have it run."""
        new = await self._admission.submission(request, caller.get())
        task = await self._writer.submit(new)
        logger.debug("task %s (%s) submitted by %r", task.id, task.task_type, caller.get())
        return task_service_pb2.SubmitResponse(task=task_message(task))

    async def Get(
        self, request: task_service_pb2.GetRequest, context: Context
    ) -> task_service_pb2.GetResponse:
        """Look a task up, and wait for its end if asked to."""
        task_id = checks.task_id(request.id)
        violations = Violations()
        wait = times.duration(request.wait, "wait", violations)
        violations.raise_if_any()
        task = await self._waiting.final_task(
            task_id, wait.total_seconds(), context.time_remaining()
        )
        return task_service_pb2.GetResponse(task=task_message(task))

    async def Retry(
        self, request: task_service_pb2.RetryRequest, context: Context
    ) -> task_service_pb2.RetryResponse:
        """Submit a final task again."""
        task_id = checks.task_id(request.id)
        original = await self._records.read(lambda tx: queries.get(tx, task_id))
        if not original.is_final:
            raise TaskNotFinal(task_id, original.state)
        new = await self._admission.retry(request, original, caller.get())
        task = await self._writer.submit(new)
        logger.info("task %s retries task %s, for %r", task.id, task_id, caller.get())
        return task_service_pb2.RetryResponse(task=task_message(task))

    async def Abort(
        self, request: task_service_pb2.AbortRequest, context: Context
    ) -> task_service_pb2.AbortResponse:
        """Abort a task."""
        abort = aborting.read(request, caller.get())
        task = await self._records.write(abort.carry_out)
        self._watcher.stir()
        logger.info("task %s is %s: abort by %r", task.id, task.state, abort.by)
        return task_service_pb2.AbortResponse(task=task_message(task))
