"""Following tasks to their ends, whatever becomes of the connection meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from taskgate.client.backoff import Backoff, Deadline
from taskgate.client.calls import Caller
from taskgate.client.errors import DeadlineExceeded, TaskgateError, WaitTimeout
from taskgate.client.task import Task, task_from_message
from taskgate.client.values import to_duration
from taskgate.v1 import task_service_pb2

_STREAM_SECONDS = 60.0
"""How long one stream lasts: then it is asked for anew, so that one that broke without a word is
noticed, and proxies see no call that never ends."""

_POLL_SECONDS = 20.0
"""How long one Get waits for the end. The server would wait longer; a proxy might not."""

_ANSWER_SECONDS = 2.0
"""How long its answer may take beyond that; then it is asked again."""

_SHORTEST_POLL_SECONDS = 0.1
"""Between answers of a server that does not wait, as one that is shutting down."""


async def wait(caller: Caller, task_id: str, *, timeout: float | None) -> AsyncGenerator[Task]:
    """The task each time that the server has waited long enough, and when it has ended.

    Raises:
        WaitTimeout: it had not ended when the time was over.
        TaskgateError: the call was refused.
    """
    pauses = _Pauses(caller, timeout)
    while True:
        seconds = min(pauses.deadline.remaining, _POLL_SECONDS)
        request = task_service_pb2.GetRequest(id=task_id, wait=to_duration(seconds or None))
        error: TaskgateError | None = None
        try:
            response = await caller.attempt(
                caller.stub.Get, request, timeout=seconds + _ANSWER_SECONDS
            )
        except TaskgateError as raised:
            error = raised
        else:
            task = task_from_message(response.task)
            yield task
            if task.is_final:
                return
        await pauses.pause([task_id], error)


async def watch(
    caller: Caller,
    task_ids: Iterable[str],
    *,
    timeout: float | None,
    full: bool,
) -> AsyncGenerator[Task]:
    """The tasks as they are, then each newer version that is seen, until all have ended.

    Raises:
        WaitTimeout: not all had ended when the time was over.
        TaskNotFound: one of them has no record.
        TaskgateError: the call was refused.
    """
    pauses = _Pauses(caller, timeout)
    seen = {task_id.lower(): 0 for task_id in task_ids}
    while seen:
        seconds = min(pauses.deadline.remaining, _STREAM_SECONDS)
        request = _watch_request(seen, full=full)
        error: TaskgateError | None = None
        try:
            stream = caller.stream(caller.stub.Watch, request, timeout=seconds)
            async with aclosing(stream) as responses:
                async for response in responses:
                    pauses.answered()
                    task = task_from_message(response.task)
                    if task.is_final:
                        del seen[task.id]
                    else:
                        seen[task.id] = task.version
                    yield task
        except TaskgateError as raised:
            error = raised
        if seen:
            await pauses.pause(list(seen), error)


class _Pauses:
    """Pauses between requests, until the time is over."""

    def __init__(self, caller: Caller, timeout: float | None) -> None:
        self.deadline = Deadline(timeout)
        self._timeout = timeout
        self._caller = caller
        self._backoff = Backoff()

    def answered(self) -> None:
        self._backoff.reset()

    async def pause(self, unfinished: list[str], error: TaskgateError | None) -> None:
        """Pause before the next request, longer each time that the server was away.

        Raises:
            WaitTimeout: the time is over.
            TaskgateError: ``error``, if asking again cannot help.
        """
        is_away = error is not None and self._caller.is_away(error)
        if error is not None and not is_away and not isinstance(error, DeadlineExceeded):
            raise error
        left = self.deadline.remaining
        if left <= 0:
            who = f"task {unfinished[0]} has" if len(unfinished) == 1 else _some(unfinished)
            raise WaitTimeout(f"{who} not ended in {self._timeout:g} s") from error
        if error is not None and is_away:
            pause = self._backoff.after(error)
        else:
            self.answered()
            pause = _SHORTEST_POLL_SECONDS
        await self._caller.transport.sleep(min(pause, left))


def _some(unfinished: list[str]) -> str:
    return f"{len(unfinished)} tasks have"


def _watch_request(seen: dict[str, int], *, full: bool) -> task_service_pb2.WatchRequest:
    view = task_service_pb2.TASK_VIEW_FULL if full else task_service_pb2.TASK_VIEW_BASIC
    request = task_service_pb2.WatchRequest(view=view)
    for task_id, version in seen.items():
        request.tasks.add(id=task_id, seen_version=version)
    return request
