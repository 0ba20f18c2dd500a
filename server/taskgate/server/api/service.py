"""TaskService: each call is read, done and answered here; what it takes is in the other modules."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc

from taskgate.server.api import aborting, directories, listing
from taskgate.server.api.batches import Batches
from taskgate.server.api.callers import caller
from taskgate.server.api.waiting import Waiting
from taskgate.server.api.watching import Watching
from taskgate.server.background.watcher import Watcher
from taskgate.server.background.writer import Writer
from taskgate.server.messages.conversion import task_message
from taskgate.server.records import Records
from taskgate.server.requests import checks, times
from taskgate.server.requests.new_tasks import Admission
from taskgate.server.requests.violations import Violations
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
        most_wait: float,
    ) -> None:
        """``most_wait``: the longest that a Get may wait, in seconds."""
        self._records = records
        self._admission = admission
        self._writer = writer
        self._watcher = watcher
        self._waiting = Waiting(records, watcher, most_wait)
        self._watching = Watching(records, watcher)
        self._batches = Batches(admission, writer)

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

    async def SubmitBatch(
        self, request: task_service_pb2.SubmitBatchRequest, context: Context
    ) -> task_service_pb2.SubmitBatchResponse:
        """Submit many tasks in one transaction."""
        results = await self._batches.submit(request.requests, caller.get())
        return task_service_pb2.SubmitBatchResponse(results=results)

    async def List(
        self, request: task_service_pb2.ListRequest, context: Context
    ) -> task_service_pb2.ListResponse:
        """List tasks, the newest first."""
        return await self._records.read(listing.query(request).answer)

    async def Watch(
        self, request: task_service_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[task_service_pb2.WatchResponse]:
        """Stream tasks as they change."""
        async for response in self._watching.stream(request):
            yield response

    async def ListTaskTypes(
        self, request: task_service_pb2.ListTaskTypesRequest, context: Context
    ) -> task_service_pb2.ListTaskTypesResponse:
        """List the task types that workers have registered."""
        return await self._records.read(lambda tx: directories.list_task_types(tx, request))

    async def ListWorkers(
        self, request: task_service_pb2.ListWorkersRequest, context: Context
    ) -> task_service_pb2.ListWorkersResponse:
        """List workers, the living and the dead."""
        return await self._records.read(lambda tx: directories.list_workers(tx, request))
