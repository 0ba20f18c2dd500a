"""One task: what happened to it, and what happens now."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime
from typing import Any

from starlette.responses import PlainTextResponse, Response

from taskgate.server.errors import ShuttingDown
from taskgate.store.errors import StoreUnavailable, TaskNotFound
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.web import formats, plots
from taskgate.web.calls import Calls
from taskgate.web.live import END, Streams, swap
from taskgate.web.visit import Visit

LINEAGE = 50
"""Tasks of one chain of retries on the page."""

SHOWN_CHARACTERS = 100_000
"""Of arguments and results; the whole of them is one click away."""


class TaskPages:
    """The page, and what keeps it up to date."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def page(self, visit: Visit) -> Response:
        """The task as it is, and its retries."""
        task = await visit.calls.get(visit.request.path_params["id"])
        family = await self._family(visit, task)
        events, log = await visit.calls.events(task.id), await visit.calls.log(task.id)
        values = values_of(task, visit.calls)
        return visit.page("task.html", **values, family=family, events=events, log=log)

    async def live(self, visit: Visit) -> Response:
        """The task whenever it changes, until it is final."""
        seen = visit.query.get("seen", "")
        events = self._changes(visit, visit.request.path_params["id"], _version(seen))
        return self._streams.answer(events)

    async def text(self, visit: Visit) -> Response:
        """All of the arguments, or of the result, as JSON text."""
        task = await visit.calls.get(visit.request.path_params["id"])
        is_result = visit.request.path_params["part"] == "result"
        text = formats.result_text(task) if is_result else formats.arguments_text(task)
        return PlainTextResponse(text)

    async def _changes(self, visit: Visit, task_id: str, seen: int) -> AsyncGenerator[str]:
        try:
            async for task in visit.calls.watch(task_id, seen):
                yield swap(visit.templates.render("task_now.html", values_of(task, visit.calls)))
        except (ShuttingDown, StoreUnavailable):
            return  # the page asks again
        except TaskNotFound:
            pass
        yield END

    async def _family(self, visit: Visit, task: task_pb2.Task) -> list[task_pb2.Task]:
        """The task and its retries, the newest first; nothing if there is but the one."""
        request = task_service_pb2.ListRequest(root_id=task.root_id, page_size=LINEAGE)
        tasks = (await visit.calls.tasks(request)).tasks
        return list(tasks) if len(tasks) > 1 else []


def values_of(task: task_pb2.Task, calls: Calls) -> dict[str, Any]:
    """What the task's templates show."""
    arguments, result = formats.arguments_text(task), formats.result_text(task)
    now = datetime.now(UTC)
    return {
        "task": task,
        "state": formats.state_name(task.state),
        "is_final": task.HasField("finish_time"),
        "arguments": arguments[:SHOWN_CHARACTERS],
        "arguments_cut": len(arguments) > SHOWN_CHARACTERS,
        "result": result[:SHOWN_CHARACTERS],
        "result_cut": len(result) > SHOWN_CHARACTERS,
        "timeline": plots.timeline(list(_bars(task, now)), "waiting and attempts over time"),
        "ran": _ran(task, now),
        "waited": _waited(task, now),
        "may_abort": calls.may("Abort"),
        "may_submit": calls.may("Submit"),
    }


def _bars(task: task_pb2.Task, now: datetime) -> Iterator[plots.Bar]:
    """How long it waited for its first attempt, then each attempt."""
    end = formats.moment(task.finish_time) if task.HasField("finish_time") else now
    begin = formats.moment(task.create_time)
    first = task.attempts[0].start_time if task.attempts else None
    until = formats.moment(first) if first is not None and first.seconds else end
    yield plots.Bar("waiting", begin, max(begin, until), f"waited {formats.span(until - begin)}")
    for attempt in task.attempts:
        if not attempt.HasField("start_time"):
            continue
        started = formats.moment(attempt.start_time)
        ended = formats.moment(attempt.end_time) if attempt.HasField("end_time") else end
        outcome = formats.outcome_name(attempt.outcome)
        title = f"attempt {attempt.number}: {outcome}, {formats.span(ended - started)}"
        yield plots.Bar(outcome.lower(), started, max(started, ended), title)


def _ran(task: task_pb2.Task, now: datetime) -> str:
    """How long the current attempt has run."""
    if not task.HasField("start_time"):
        return ""
    end = formats.moment(task.finish_time) if task.HasField("finish_time") else now
    return formats.span(end - formats.moment(task.start_time))


def _waited(task: task_pb2.Task, now: datetime) -> str:
    """How long it was due before its newest attempt began."""
    due = task.schedule_time if task.HasField("schedule_time") else task.create_time
    begun = task.start_time if task.HasField("start_time") else task.finish_time
    end = formats.moment(begun) if begun.seconds else now
    return formats.span(end - formats.moment(due)) if end >= formats.moment(due) else ""


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
