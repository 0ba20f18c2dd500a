"""The client for programs that run in threads: a connection to a taskgate server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import Self

from taskgate.client.async_client import AsyncClient
from taskgate.client.blocking import blocking, iterating, wrapping
from taskgate.client.connection import Connection
from taskgate.client.errors import TaskgateError
from taskgate.client.handle import AsyncTaskHandle, TaskHandle
from taskgate.client.listing import Tasks
from taskgate.client.transport import BlockingTransport


def _outcomes(
    outcomes: Sequence[AsyncTaskHandle | TaskgateError],
) -> Sequence[TaskHandle | TaskgateError]:
    return [TaskHandle(one) if isinstance(one, AsyncTaskHandle) else one for one in outcomes]


class Client(Connection):
    """A connection to a taskgate server, for any number of threads, but not across a fork.

    A call that finds the server away is repeated until its time is over, and is safe to be repeated
    by you too. Close it, or use it in a ``with``.
    """

    _transport_type = BlockingTransport

    @cached_property
    def _core(self) -> AsyncClient:
        return AsyncClient._over(self)  # noqa: SLF001 - of the class that both are of

    submit = blocking(AsyncClient.submit, TaskHandle)
    submit_many = blocking(AsyncClient.submit_many, _outcomes)
    watch = iterating(AsyncClient.watch)
    task_types = iterating(AsyncClient.task_types)
    workers = iterating(AsyncClient.workers)
    queues = iterating(AsyncClient.queues)
    stats = blocking(AsyncClient.stats)
    pause = blocking(AsyncClient.pause)
    resume = blocking(AsyncClient.resume)
    pauses = iterating(AsyncClient.pauses)
    events = iterating(AsyncClient.events)
    count = blocking(AsyncClient.count)
    abort_tasks = blocking(AsyncClient.abort_tasks)
    retry_tasks = blocking(AsyncClient.retry_tasks)
    delete_tasks = blocking(AsyncClient.delete_tasks)
    operation = blocking(AsyncClient.operation)
    operations = iterating(AsyncClient.operations)
    watch_operation = iterating(AsyncClient.watch_operation)
    stop_operation = blocking(AsyncClient.stop_operation)
    create_schedule = blocking(AsyncClient.create_schedule)
    schedule = blocking(AsyncClient.schedule)
    schedules = iterating(AsyncClient.schedules)
    update_schedule = blocking(AsyncClient.update_schedule)
    delete_schedule = blocking(AsyncClient.delete_schedule)
    pause_schedule = blocking(AsyncClient.pause_schedule)
    resume_schedule = blocking(AsyncClient.resume_schedule)
    trigger_schedule = blocking(AsyncClient.trigger_schedule)
    is_serving = blocking(AsyncClient.is_serving)
    close = blocking(AsyncClient.close)
    list = wrapping(AsyncClient.list, Tasks)
    task = wrapping(AsyncClient.task, TaskHandle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
