"""Lists that a server answers in pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from taskgate.client.blocking import iterating
from taskgate.client.calls import Caller
from taskgate.client.task import Task, task_from_message
from taskgate.client.transport import iterate
from taskgate.v1 import task_service_pb2


class _Paged(Protocol):
    page_token: str


class _Page(Protocol):
    next_page_token: str


Request = TypeVar("Request", bound=_Paged)
Response = TypeVar("Response", bound=_Page)


async def pages(
    call: Callable[[Request], Awaitable[Response]], request: Request
) -> AsyncGenerator[Response]:
    """Each page's answer, asked for when it is wanted."""
    while True:
        response = await call(request)
        yield response
        if not response.next_page_token:
            return
        request.page_token = response.next_page_token


@dataclass(frozen=True, slots=True)
class Page:
    """Some tasks of a list."""

    tasks: tuple[Task, ...]
    next_page_token: str
    """Asks for the next page; empty on the last one."""


class AsyncTasks:
    """Tasks that fit a filter, the newest first: iterate over them, or over ``pages``.

    Every iteration asks the server anew, a page whenever one is wanted.
    """

    def __init__(self, caller: Caller, request: task_service_pb2.ListRequest) -> None:
        self._caller = caller
        self._request = request

    async def __aiter__(self) -> AsyncGenerator[Task]:
        """All of them.

        Raises:
            InvalidRequest: a filter is wrong.
            TaskgateError: anything else went wrong.
        """
        async with aclosing(self.pages()) as found:
            async for page in found:
                for task in page.tasks:
                    yield task

    async def pages(self, page_token: str = "") -> AsyncGenerator[Page]:
        """Page by page, from the first or from that of a ``next_page_token``.

        Raises:
            InvalidRequest: a filter is wrong, or the token is of other filters.
            TaskgateError: anything else went wrong.
        """
        request = task_service_pb2.ListRequest()
        request.CopyFrom(self._request)
        request.page_token = page_token
        async for response in pages(self._call, request):
            tasks = tuple(map(task_from_message, response.tasks))
            yield Page(tasks, response.next_page_token)

    async def _call(self, request: Any) -> task_service_pb2.ListResponse:
        return await self._caller.call(self._caller.stub.List, request)


class Tasks:
    """Tasks that fit a filter, the newest first: iterate over them, or over ``pages``.

    Every iteration asks the server anew, a page whenever one is wanted.
    """

    def __init__(self, core: AsyncTasks) -> None:
        self._core = core

    pages = iterating(AsyncTasks.pages)

    def __iter__(self) -> Generator[Task]:
        """All of them; errors are those of ``pages``."""
        return iterate(aiter(self._core))
