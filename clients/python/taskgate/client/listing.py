"""Lists that a server answers in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from taskgate.client.calls import Caller
from taskgate.client.task import Task, task_from_message
from taskgate.v1 import task_service_pb2


class _Paged(Protocol):
    page_token: str


class _Page(Protocol):
    next_page_token: str


Request = TypeVar("Request", bound=_Paged)
Response = TypeVar("Response", bound=_Page)


def pages(call: Callable[[Request], Response], request: Request) -> Iterator[Response]:
    """Each page's answer, asked for when it is wanted."""
    while True:
        response = call(request)
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


class Tasks:
    """Tasks that fit a filter, the newest first: iterate over them, or over ``pages``.

    Every iteration asks the server anew, a page whenever one is wanted.
    """

    def __init__(self, caller: Caller, request: task_service_pb2.ListRequest) -> None:
        self._caller = caller
        self._request = request

    def __iter__(self) -> Iterator[Task]:
        """All of them.

        Raises:
            InvalidRequest: a filter is wrong.
            TaskgateError: anything else went wrong.
        """
        for page in self.pages():
            yield from page.tasks

    def pages(self, page_token: str = "") -> Iterator[Page]:
        """Page by page, from the first or from that of a ``next_page_token``.

        Raises:
            InvalidRequest: a filter is wrong, or the token is of other filters.
            TaskgateError: anything else went wrong.
        """
        request = task_service_pb2.ListRequest()
        request.CopyFrom(self._request)
        request.page_token = page_token
        for response in pages(self._call, request):
            tasks = tuple(map(task_from_message, response.tasks))
            yield Page(tasks, response.next_page_token)

    def _call(self, request: Any) -> task_service_pb2.ListResponse:
        return self._caller.call(self._caller.stub.List, request)
