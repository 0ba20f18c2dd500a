"""The calls about many tasks: pauses and operations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from taskgate.client.connection import Connection
from taskgate.client.counts import By, Counted, counted_from_message, group_by
from taskgate.client.listing import pages
from taskgate.client.operations import (
    Begun,
    Operation,
    TaskFilter,
    begun_from,
    operation_from_message,
    options,
    selection_of,
)
from taskgate.client.pauses import Pause, pause_from_message
from taskgate.v1 import counts_pb2, operations_pb2, pauses_pb2


class Steering(Connection):
    """What ``AsyncClient`` can do with many tasks at once."""

    async def pause(
        self, *, queue: str | None = None, task_type: str | None = None, reason: str = ""
    ) -> Pause:
        """Have nothing new of a queue, or of a task type, start; what runs goes on.

        Returns the pause on record: the earlier one, if it was paused already.

        Raises:
            ValueError: neither or both are given.
            InvalidRequest: nobody knows it.
            TaskgateError: anything else went wrong.
        """
        request = pauses_pb2.PauseRequest(reason=reason, **_target(queue, task_type))
        answer = await self._caller.call(self._caller.stub.Pause, request)
        return pause_from_message(answer.pause)

    async def resume(self, *, queue: str | None = None, task_type: str | None = None) -> bool:
        """End a pause; False if there was none.

        Raises:
            ValueError: neither or both are given.
            TaskgateError: anything else went wrong.
        """
        request = pauses_pb2.ResumeRequest(**_target(queue, task_type))
        return (await self._caller.call(self._caller.stub.Resume, request)).was_paused

    async def pauses(self) -> AsyncGenerator[Pause]:
        """What is paused, queues first.

        Raises:
            TaskgateError: the call was refused.
        """
        async for page in pages(self._list_pauses, pauses_pb2.ListPausesRequest()):
            for message in page.pauses:
                yield pause_from_message(message)

    async def count(self, chosen: TaskFilter | None = None, *, by: By | None = None) -> Counted:
        """How many tasks fit a filter, all if None; ``by``: apart by this, too.

        Raises:
            InvalidRequest: a filter is wrong.
            TaskgateError: anything else went wrong.
        """
        request = counts_pb2.CountRequest(
            filter=None if chosen is None else chosen.message(), group_by=group_by(by)
        )
        return counted_from_message(await self._caller.call(self._caller.stub.Count, request))

    async def abort_tasks(
        self,
        chosen: TaskFilter | Iterable[str],
        *,
        reason: str = "",
        rate: float = 0.0,
        dry_run: bool = False,
        request_id: str | None = None,
    ) -> Begun:
        """Abort many tasks, by an operation that goes on after the answer.

        Args:
            chosen: a filter, or ids. Without states: those that have not ended.
            reason: recorded with each task.
            rate: how many tasks a second at most; the server's 1,000 if 0.
            dry_run: only say how many tasks there are, and show some.
            request_id: calls with the same id give the same operation; a new one if None.

        Raises:
            TaskNotFound: there is no task of one of the ids.
            InvalidRequest: a filter is wrong, or more than 1,000,000 tasks fit.
            TaskgateError: anything else went wrong.
        """
        request = operations_pb2.AbortTasksRequest(
            selection=selection_of(chosen),
            options=options(rate, dry_run, request_id),
            reason=reason,
        )
        answer = await self._caller.call(self._caller.stub.AbortTasks, request)
        return begun_from(answer)

    async def retry_tasks(
        self,
        chosen: TaskFilter | Iterable[str],
        *,
        rate: float = 0.0,
        dry_run: bool = False,
        request_id: str | None = None,
    ) -> Begun:
        """Submit many final tasks again, each with its own arguments; as ``abort_tasks``.

        A filter without states is for those that FAILED.
        """
        request = operations_pb2.RetryTasksRequest(
            selection=selection_of(chosen), options=options(rate, dry_run, request_id)
        )
        answer = await self._caller.call(self._caller.stub.RetryTasks, request)
        return begun_from(answer)

    async def delete_tasks(
        self,
        chosen: TaskFilter | Iterable[str],
        *,
        rate: float = 0.0,
        dry_run: bool = False,
        request_id: str | None = None,
    ) -> Begun:
        """Delete the records of many final tasks; as ``abort_tasks``.

        A filter without states is for those that have ended.
        """
        request = operations_pb2.DeleteTasksRequest(
            selection=selection_of(chosen), options=options(rate, dry_run, request_id)
        )
        answer = await self._caller.call(self._caller.stub.DeleteTasks, request)
        return begun_from(answer)

    async def operation(self, operation_id: str) -> Operation:
        """An operation as it is now.

        Raises:
            TaskgateError: there is none, or anything else went wrong.
        """
        request = operations_pb2.GetOperationRequest(id=operation_id)
        answer = await self._caller.call(self._caller.stub.GetOperation, request)
        return operation_from_message(answer.operation)

    async def stop_operation(self, operation_id: str) -> Operation:
        """Stop an operation; what it has done stays done.

        Raises:
            TaskgateError: there is none, or anything else went wrong.
        """
        request = operations_pb2.StopOperationRequest(id=operation_id)
        answer = await self._caller.call(self._caller.stub.StopOperation, request)
        return operation_from_message(answer.operation)

    async def watch_operation(
        self, operation_id: str, *, timeout: float = 3600.0
    ) -> AsyncGenerator[Operation]:
        """An operation as it is, then whenever it has gone on, until it has ended.

        Args:
            operation_id: its id.
            timeout: seconds until its end.

        Raises:
            TaskgateError: there is none, the server went away, or the time is over.
        """
        request = operations_pb2.WatchOperationRequest(id=operation_id)
        stub = self._caller.stub
        answers = self._caller.stream(stub.WatchOperation, request, timeout=timeout)
        async with aclosing(answers) as found:
            async for answer in found:
                yield operation_from_message(answer.operation)

    async def operations(self) -> AsyncGenerator[Operation]:
        """Operations, the newest first.

        Raises:
            TaskgateError: the call was refused.
        """
        async for page in pages(self._list_operations, operations_pb2.ListOperationsRequest()):
            for message in page.operations:
                yield operation_from_message(message)

    async def _list_operations(
        self, request: operations_pb2.ListOperationsRequest
    ) -> operations_pb2.ListOperationsResponse:
        return await self._caller.call(self._caller.stub.ListOperations, request)

    async def _list_pauses(
        self, request: pauses_pb2.ListPausesRequest
    ) -> pauses_pb2.ListPausesResponse:
        return await self._caller.call(self._caller.stub.ListPauses, request)


def _target(queue: str | None, task_type: str | None) -> dict[str, str]:
    given = {"queue": queue, "task_type": task_type}
    target = {field: name for field, name in given.items() if name is not None}
    if len(target) != 1:
        raise ValueError("give queue or task_type, one of them")
    return target
