"""TaskService: which function answers which call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import grpc

from taskgate.server.api.authentication import caller
from taskgate.server.api.counts import Counts
from taskgate.server.api.events import Events
from taskgate.server.api.lists import Lists
from taskgate.server.api.logs import Logs
from taskgate.server.api.operations import Operations
from taskgate.server.api.pauses import Pauses
from taskgate.server.api.schedules import Schedules
from taskgate.server.api.stats import Stats
from taskgate.server.api.submissions import Submissions
from taskgate.server.api.tasks import Tasks
from taskgate.server.callers import MAX_PEER_LENGTH, Caller
from taskgate.server.text import fit
from taskgate.tasks import tracing
from taskgate.v1 import (
    counts_pb2,
    events_pb2,
    logs_pb2,
    operations_pb2,
    pauses_pb2,
    schedules_pb2,
    task_service_pb2,
    task_service_pb2_grpc,
)

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class TaskService(task_service_pb2_grpc.TaskServiceServicer):
    """The calls; who calls is in ``authentication.caller``, what they need in ``authorization``."""

    submissions: Submissions
    tasks: Tasks
    lists: Lists
    stats: Stats
    pauses: Pauses
    events: Events
    operations: Operations
    counts: Counts
    logs: Logs
    schedules: Schedules

    async def Submit(
        self, request: task_service_pb2.SubmitRequest, context: Context
    ) -> task_service_pb2.SubmitResponse:
        return await self.submissions.submit(request, _writer(context))

    async def SubmitBatch(
        self, request: task_service_pb2.SubmitBatchRequest, context: Context
    ) -> task_service_pb2.SubmitBatchResponse:
        return await self.submissions.submit_batch(request, _writer(context))

    async def Retry(
        self, request: task_service_pb2.RetryRequest, context: Context
    ) -> task_service_pb2.RetryResponse:
        return await self.submissions.retry(request, _writer(context))

    async def Get(
        self, request: task_service_pb2.GetRequest, context: Context
    ) -> task_service_pb2.GetResponse:
        return await self.tasks.get(request, caller.get(), context.time_remaining())

    async def Abort(
        self, request: task_service_pb2.AbortRequest, context: Context
    ) -> task_service_pb2.AbortResponse:
        return await self.tasks.abort(request, _writer(context))

    async def Watch(
        self, request: task_service_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[task_service_pb2.WatchResponse]:
        async for response in self.tasks.watch(request, caller.get()):
            yield response

    async def List(
        self, request: task_service_pb2.ListRequest, context: Context
    ) -> task_service_pb2.ListResponse:
        return await self.lists.tasks(request, caller.get())

    async def ListTaskTypes(
        self, request: task_service_pb2.ListTaskTypesRequest, context: Context
    ) -> task_service_pb2.ListTaskTypesResponse:
        return await self.lists.task_types(request, caller.get())

    async def ListWorkers(
        self, request: task_service_pb2.ListWorkersRequest, context: Context
    ) -> task_service_pb2.ListWorkersResponse:
        return await self.lists.workers(request, caller.get())

    async def ListQueues(
        self, request: task_service_pb2.ListQueuesRequest, context: Context
    ) -> task_service_pb2.ListQueuesResponse:
        return await self.stats.queues(request, caller.get())

    async def GetStats(
        self, request: task_service_pb2.GetStatsRequest, context: Context
    ) -> task_service_pb2.GetStatsResponse:
        return await self.stats.get(request, caller.get())

    async def Pause(
        self, request: pauses_pb2.PauseRequest, context: Context
    ) -> pauses_pb2.PauseResponse:
        return await self.pauses.pause(request, _writer(context))

    async def Resume(
        self, request: pauses_pb2.ResumeRequest, context: Context
    ) -> pauses_pb2.ResumeResponse:
        return await self.pauses.resume(request, _writer(context))

    async def ListPauses(
        self, request: pauses_pb2.ListPausesRequest, context: Context
    ) -> pauses_pb2.ListPausesResponse:
        return await self.pauses.list(request, caller.get())

    async def ListEvents(
        self, request: events_pb2.ListEventsRequest, context: Context
    ) -> events_pb2.ListEventsResponse:
        return await self.events.list(request, caller.get(), context.time_remaining())

    async def Count(
        self, request: counts_pb2.CountRequest, context: Context
    ) -> counts_pb2.CountResponse:
        return await self.counts.count(request, caller.get())

    async def AbortTasks(
        self, request: operations_pb2.AbortTasksRequest, context: Context
    ) -> operations_pb2.AbortTasksResponse:
        return await self.operations.abort(request, _writer(context))

    async def RetryTasks(
        self, request: operations_pb2.RetryTasksRequest, context: Context
    ) -> operations_pb2.RetryTasksResponse:
        return await self.operations.retry(request, _writer(context))

    async def DeleteTasks(
        self, request: operations_pb2.DeleteTasksRequest, context: Context
    ) -> operations_pb2.DeleteTasksResponse:
        return await self.operations.delete(request, _writer(context))

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, context: Context
    ) -> operations_pb2.GetOperationResponse:
        return await self.operations.get(request, caller.get())

    async def StopOperation(
        self, request: operations_pb2.StopOperationRequest, context: Context
    ) -> operations_pb2.StopOperationResponse:
        return await self.operations.stop(request, _writer(context))

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, context: Context
    ) -> operations_pb2.ListOperationsResponse:
        return await self.operations.list(request, caller.get())

    async def WatchOperation(
        self, request: operations_pb2.WatchOperationRequest, context: Context
    ) -> AsyncIterator[operations_pb2.WatchOperationResponse]:
        async for response in self.operations.watch(request, caller.get()):
            yield response

    async def GetLogs(
        self, request: logs_pb2.GetLogsRequest, context: Context
    ) -> logs_pb2.GetLogsResponse:
        return await self.logs.get(request, caller.get(), context.time_remaining())

    async def CreateSchedule(
        self, request: schedules_pb2.CreateScheduleRequest, context: Context
    ) -> schedules_pb2.CreateScheduleResponse:
        return await self.schedules.create(request, _writer(context))

    async def GetSchedule(
        self, request: schedules_pb2.GetScheduleRequest, context: Context
    ) -> schedules_pb2.GetScheduleResponse:
        return await self.schedules.get(request, caller.get())

    async def ListSchedules(
        self, request: schedules_pb2.ListSchedulesRequest, context: Context
    ) -> schedules_pb2.ListSchedulesResponse:
        return await self.schedules.list(request, caller.get())

    async def UpdateSchedule(
        self, request: schedules_pb2.UpdateScheduleRequest, context: Context
    ) -> schedules_pb2.UpdateScheduleResponse:
        return await self.schedules.update(request, _writer(context))

    async def DeleteSchedule(
        self, request: schedules_pb2.DeleteScheduleRequest, context: Context
    ) -> schedules_pb2.DeleteScheduleResponse:
        return await self.schedules.delete(request, _writer(context))

    async def PauseSchedule(
        self, request: schedules_pb2.PauseScheduleRequest, context: Context
    ) -> schedules_pb2.PauseScheduleResponse:
        return await self.schedules.pause(request, _writer(context))

    async def ResumeSchedule(
        self, request: schedules_pb2.ResumeScheduleRequest, context: Context
    ) -> schedules_pb2.ResumeScheduleResponse:
        return await self.schedules.resume(request, _writer(context))

    async def TriggerSchedule(
        self, request: schedules_pb2.TriggerScheduleRequest, context: Context
    ) -> schedules_pb2.TriggerScheduleResponse:
        return await self.schedules.trigger(request, _writer(context))


def _writer(context: Context) -> Caller:
    """The caller of a call that writes: where it came from goes on record."""
    peer = fit(context.peer(), MAX_PEER_LENGTH)
    return replace(caller.get(), peer=peer, trace=tracing.current())
