"""The handle: one task on the server."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol, Self

from taskgate.client.blocking import blocking, iterating
from taskgate.client.calls import Caller
from taskgate.client.errors import error_from_task
from taskgate.client.logs import LogLine, log_lines
from taskgate.client.task import State, Task, task_from_message
from taskgate.client.values import arguments_json, to_duration
from taskgate.client.watching import wait, watch
from taskgate.v1 import task_pb2, task_service_pb2


class Identified(Protocol):
    """A handle, of either kind."""

    @property
    def id(self) -> str: ...


class AsyncTaskHandle:
    """One task on the server: look at it, wait for it, abort it, run it again."""

    def __init__(self, caller: Caller, task_id: str) -> None:
        self._caller = caller
        self.id = task_id
        self.latest: Task | None = None
        """The task as the server last answered it; None before the first answer. After
        ``Client.submit_many`` without its arguments."""

    @classmethod
    def of(cls, caller: Caller, message: task_pb2.Task) -> Self:
        """The handle of a task that the server has just answered."""
        handle = cls(caller, message.id)
        handle._remember(message)
        return handle

    async def get(self, *, wait: float = 0.0) -> Task:
        """The task as it is now, or as it is when it ended or ``wait`` seconds are over.

        Raises:
            TaskNotFound: no task has the id.
            TaskgateError: anything else went wrong.
        """
        request = task_service_pb2.GetRequest(id=self.id, wait=to_duration(wait or None))
        response = await self._caller.call(self._caller.stub.Get, request, more_time=wait)
        return self._remember(response.task)

    async def wait(self, timeout: float | None = None) -> Task:
        """The task once it has ended, however it did; the server may restart meanwhile.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            WaitTimeout: it had not ended when the time was over.
            TaskNotFound: no task has the id.
            TaskgateError: the call was refused.
        """
        async with aclosing(wait(self._caller, self.id, timeout=timeout)) as answers:
            async for task in answers:
                self.latest = task
        return task

    async def watch(self, timeout: float | None = None) -> AsyncGenerator[Task]:
        """The task as it is, then each newer version seen, until it has ended.

        Versions that follow each other quickly are skipped, never the last one. Arguments and
        errors are those of ``wait``.
        """
        tasks = watch(self._caller, [self.id], timeout=timeout, full=True)
        async with aclosing(tasks) as seen:
            async for task in seen:
                self.latest = task
                yield task

    def logs(self, *, follow: bool = False) -> AsyncGenerator[LogLine]:
        """What the task has logged and printed, in all of its attempts, the oldest line first.

        Args:
            follow: wait for more until it has ended; the server may restart meanwhile.

        Raises:
            TaskNotFound: no task has the id.
            TaskgateError: the call was refused.
        """
        return log_lines(self._caller, self.id, follow=follow)

    async def result(self, timeout: float | None = None) -> Any:
        """What the task returned, once it has.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            TaskFailed: it failed.
            TaskAborted: it was aborted.
            TaskExpired: it had not started when it expired.
            WaitTimeout: it had not ended when the time was over.
            TaskgateError: the call was refused.
        """
        task = await self.wait(timeout)
        if task.state is not State.SUCCEEDED:
            raise error_from_task(task)
        return task.result

    async def abort(
        self, reason: str = "", *, force: bool = False, grace: float | None = None
    ) -> Task:
        """Ask the task to stop; the task afterwards.

        One that has not started never will (ABORTED). One that runs is told (ABORTING).

        Args:
            reason: why; recorded with the task.
            force: end the worker's process if the task has not stopped after ``grace``.
            grace: seconds; the server's ten if None.

        Raises:
            TaskNotFound: no task has the id.
            TaskAlreadyFinal: it has ended otherwise.
            CannotForceAbort: its worker cannot end a running task.
            TaskgateError: anything else went wrong.
        """
        request = task_service_pb2.AbortRequest(
            id=self.id, reason=reason, force=force, grace_period=to_duration(grace)
        )
        response = await self._caller.call(self._caller.stub.Abort, request)
        return self._remember(response.task)

    async def retry(
        self,
        *,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        request_id: str | None = None,
    ) -> AsyncTaskHandle:
        """Run a task that has ended again, as a new task; the new task's handle.

        Args:
            args: other positional arguments.
            kwargs: other keyword arguments. If either is given, both are replaced: the one that is
                not given is empty.
            request_id: as in ``Client.submit``.

        Raises:
            TypeError: an argument has no JSON form.
            ValueError: an argument is not finite, or contains itself.
            TaskNotFound: no task has the id.
            TaskNotFinal: it has not ended.
            TaskgateError: anything else went wrong.
        """
        replace = args is not None or kwargs is not None
        request = task_service_pb2.RetryRequest(
            id=self.id,
            request_id=request_id or str(uuid.uuid4()),
            replace_arguments=replace,
            arguments_json=arguments_json(args or (), kwargs or {}) if replace else "",
        )
        response = await self._caller.call(self._caller.stub.Retry, request)
        return AsyncTaskHandle.of(self._caller, response.task)

    def _remember(self, message: task_pb2.Task) -> Task:
        task = task_from_message(message)
        self.latest = task
        return task


class TaskHandle:
    """One task on the server: look at it, wait for it, abort it, run it again."""

    def __init__(self, core: AsyncTaskHandle) -> None:
        self._core = core

    @property
    def id(self) -> str:
        """The task's id."""
        return self._core.id

    @property
    def latest(self) -> Task | None:
        """The task as the server last answered it; None before the first answer.

        After ``Client.submit_many`` it is without its arguments.
        """
        return self._core.latest

    get = blocking(AsyncTaskHandle.get)
    wait = blocking(AsyncTaskHandle.wait)
    watch = iterating(AsyncTaskHandle.watch)
    logs = iterating(AsyncTaskHandle.logs)
    result = blocking(AsyncTaskHandle.result)
    abort = blocking(AsyncTaskHandle.abort)
    retry = blocking(AsyncTaskHandle.retry, lambda core: TaskHandle(core))  # noqa: PLW0108 - not yet defined
