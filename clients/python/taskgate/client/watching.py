"""Watching many tasks: each newer version once, whatever becomes of the connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskgate.client.calls import Caller
from taskgate.client.errors import DeadlineExceeded, TaskgateError, Unavailable
from taskgate.client.patience import Patience
from taskgate.client.task import Task, task_from_message
from taskgate.v1 import task_service_pb2

_STREAM_SECONDS = 60.0
"""How long one stream lasts: then it is asked for anew, so that one that broke without a word is
noticed, and proxies see no call that never ends."""


def watch(
    caller: Caller, task_ids: Iterable[str], *, timeout: float | None, full: bool
) -> Iterator[Task]:
    """The tasks as they are, then each newer version that is seen, until all have ended.

    Raises:
        WaitTimeout: not all had ended when the time was over.
        TaskNotFound: one of them has no record.
        TaskgateError: the call was refused.
    """
    patience = Patience(timeout)
    seen = {task_id.lower(): 0 for task_id in task_ids}
    while seen:
        away: TaskgateError | None = None
        try:
            for task in _stream(caller, seen, min(patience.left, _STREAM_SECONDS), full=full):
                patience.renew()
                if task.is_final:
                    del seen[task.id]
                else:
                    seen[task.id] = task.version
                yield task
        except Unavailable as error:
            away = error
        except DeadlineExceeded:
            away = None  # the stream's own end
        if seen:
            patience.pause(_waited_for(seen), away)


def _stream(caller: Caller, seen: dict[str, int], seconds: float, *, full: bool) -> Iterator[Task]:
    view = task_service_pb2.TASK_VIEW_FULL if full else task_service_pb2.TASK_VIEW_BASIC
    request = task_service_pb2.WatchRequest(view=view)
    for task_id, version in seen.items():
        request.tasks.add(id=task_id, seen_version=version)
    for response in caller.stream(caller.stub.Watch, request, timeout=seconds):
        yield task_from_message(response.task)


def _waited_for(unfinished: Iterable[str]) -> str:
    ids = list(unfinished)
    return f"task {ids[0]} has" if len(ids) == 1 else f"{len(ids)} tasks have"
