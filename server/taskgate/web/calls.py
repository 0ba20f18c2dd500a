"""The API's calls, made within the server: the same functions that answer gRPC clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from taskgate.server.api.authorization import check_role
from taskgate.server.api.service import TaskService
from taskgate.server.callers import Caller
from taskgate.server.errors import RoleMissing
from taskgate.v1 import (
    events_pb2,
    logs_pb2,
    operations_pb2,
    pauses_pb2,
    schedules_pb2,
    task_pb2,
    task_service_pb2,
)

_SERVICE = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"].full_name


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one caller.

    Each raises what the function that answers the call raises, and RoleMissing.
    """

    service: TaskService
    caller: Caller
    peer: str = ""
    """Where the viewer is, as gRPC names peers: events of what was done tell it."""

    async def submit(self, request: task_service_pb2.SubmitRequest) -> task_pb2.Task:
        """Record a task; the task."""
        self._check("Submit")
        return (await self.service.submissions.submit(request, self._actor)).task

    async def retry(self, request: task_service_pb2.RetryRequest) -> task_pb2.Task:
        """Submit a final task again; the new task."""
        self._check("Retry")
        return (await self.service.submissions.retry(request, self._actor)).task

    async def abort(self, request: task_service_pb2.AbortRequest) -> task_pb2.Task:
        """Abort a task; the task after the request."""
        self._check("Abort")
        return (await self.service.tasks.abort(request, self._actor)).task

    async def get(self, task_id: str) -> task_pb2.Task:
        """A task as it is."""
        self._check("Get")
        request = task_service_pb2.GetRequest(id=task_id)
        return (await self.service.tasks.get(request, self.caller, None)).task

    async def watch(self, task_id: str, seen_version: int) -> AsyncGenerator[task_pb2.Task]:
        """Each newer version of a task, until it is final."""
        self._check("Watch")
        request = task_service_pb2.WatchRequest()
        request.tasks.add(id=task_id, seen_version=seen_version)
        async for response in self.service.tasks.watch(request, self.caller):
            yield response.task

    async def tasks(self, request: task_service_pb2.ListRequest) -> task_service_pb2.ListResponse:
        """A page of tasks."""
        self._check("List")
        return await self.service.lists.tasks(request, self.caller)

    async def task_types(self) -> task_service_pb2.ListTaskTypesResponse:
        """The task types, up to the thousand that fit on a page."""
        self._check("ListTaskTypes")
        request = task_service_pb2.ListTaskTypesRequest()
        return await self.service.lists.task_types(request, self.caller)

    async def workers(
        self, request: task_service_pb2.ListWorkersRequest
    ) -> task_service_pb2.ListWorkersResponse:
        """A page of workers."""
        self._check("ListWorkers")
        return await self.service.lists.workers(request, self.caller)

    async def stats(self) -> task_service_pb2.GetStatsResponse:
        """What is going on."""
        self._check("GetStats")
        return await self.service.stats.get(task_service_pb2.GetStatsRequest(), self.caller)

    async def pause(self, request: pauses_pb2.PauseRequest) -> None:
        """Have nothing new of a queue or a task type start."""
        self._check("Pause")
        await self.service.pauses.pause(request, self._actor)

    async def resume(self, request: pauses_pb2.ResumeRequest) -> None:
        """End a pause."""
        self._check("Resume")
        await self.service.pauses.resume(request, self._actor)

    async def schedules(
        self, request: schedules_pb2.ListSchedulesRequest
    ) -> schedules_pb2.ListSchedulesResponse:
        """A page of schedules."""
        self._check("ListSchedules")
        return await self.service.schedules.list(request, self.caller)

    async def pauses(self) -> Sequence[pauses_pb2.Pause]:
        """What is paused; a thousand at most."""
        self._check("ListPauses")
        request = pauses_pb2.ListPausesRequest(page_size=1_000)
        return (await self.service.pauses.list(request, self.caller)).pauses

    async def abort_tasks(
        self, request: operations_pb2.AbortTasksRequest
    ) -> operations_pb2.AbortTasksResponse:
        """Abort many tasks, or count them."""
        self._check("AbortTasks")
        return await self.service.operations.abort(request, self._actor)

    async def retry_tasks(
        self, request: operations_pb2.RetryTasksRequest
    ) -> operations_pb2.RetryTasksResponse:
        """Submit many final tasks again, or count them."""
        self._check("RetryTasks")
        return await self.service.operations.retry(request, self._actor)

    async def operation(self, operation_id: str) -> operations_pb2.Operation:
        """An operation as it is."""
        self._check("GetOperation")
        request = operations_pb2.GetOperationRequest(id=operation_id)
        return (await self.service.operations.get(request, self.caller)).operation

    async def stop_operation(self, operation_id: str) -> None:
        """Have an operation go no further."""
        self._check("StopOperation")
        request = operations_pb2.StopOperationRequest(id=operation_id)
        await self.service.operations.stop(request, self._actor)

    async def log(self, task_id: str) -> Sequence[logs_pb2.LogLine]:
        """What a task has logged, as far as an answer takes it."""
        self._check("GetLogs")
        request = logs_pb2.GetLogsRequest(id=task_id)
        return (await self.service.logs.get(request, self.caller, None)).lines

    async def events(self, task_id: str) -> Sequence[events_pb2.Event]:
        """What happened to a task, and who did it; the first thousand."""
        self._check("ListEvents")
        request = events_pb2.ListEventsRequest(task_id=task_id, page_size=1_000)
        return (await self.service.events.list(request, self.caller, None)).events

    def may(self, call: str) -> bool:
        """Whether the caller has the role that a call needs."""
        try:
            self._check(call)
        except RoleMissing:
            return False
        return True

    @property
    def _actor(self) -> Caller:
        return replace(self.caller, peer=self.peer)

    def _check(self, call: str) -> None:
        check_role(self.caller, f"/{_SERVICE}/{call}")
