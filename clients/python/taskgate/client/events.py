"""Events: what happened to tasks, and who did what to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from taskgate.client.calls import Caller
from taskgate.client.task import (
    State,
    TaskError,
    error_from_message,
    outcome_from_message,
    state_from_message,
)
from taskgate.client.values import from_timestamp
from taskgate.v1 import events_pb2

_WAIT_SECONDS = 30.0
"""How long one call waits for what happens next."""


class EventKind(StrEnum):
    """What happened."""

    UNSPECIFIED = "UNSPECIFIED"
    """A kind that this version of the client does not know."""
    SUBMITTED = "SUBMITTED"
    STARTED = "STARTED"
    """Of all tasks, only attempts that are running: the end of the others tells their start."""
    ATTEMPT_ENDED = "ATTEMPT_ENDED"
    """The attempt, not the task."""
    ABORT_REQUESTED = "ABORT_REQUESTED"
    """While it ran. Of all tasks, only those that are ABORTING."""
    ENDED = "ENDED"
    CALLED = "CALLED"
    """Somebody made a call that changes the task."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a task."""

    id: str
    """The same whenever the event is listed."""
    cursor: str
    """Lists go on after it."""
    time: datetime
    kind: EventKind
    task_id: str
    task_type: str
    queue: str
    state: State | None
    """Into which the task came."""
    attempt: int
    """That started or ended; otherwise 0."""
    worker: str
    start_time: datetime | None
    """When the attempt started that ended."""
    outcome: str | None
    error: TaskError | None
    """Without its traceback."""
    caller: str
    peer: str
    request_id: str
    call: str
    detail: str
    retry_of: str


async def events(
    caller: Caller, request: events_pb2.ListEventsRequest, *, follow: bool
) -> AsyncGenerator[Event]:
    """The events that a request asks for; with ``follow`` also those that happen from then on."""
    wait = 0.0
    while True:
        response = await caller.call(caller.stub.ListEvents, request, more_time=wait)
        for message in response.events:
            yield event_from_message(message)
        if not (response.has_more or follow):
            return
        request.after = response.cursor
        request.ClearField("time_from")
        if follow:
            wait = _WAIT_SECONDS
            request.wait.FromMilliseconds(int(wait * 1000))


def event_from_message(message: events_pb2.Event) -> Event:
    """The only place where a message becomes an Event."""
    return Event(
        id=message.id,
        cursor=message.cursor,
        time=from_timestamp(message.time),
        kind=_kind(message.kind),
        task_id=message.task_id,
        task_type=message.task_type,
        queue=message.queue,
        state=state_from_message(message.state) if message.state else None,
        attempt=message.attempt,
        worker=message.worker,
        start_time=from_timestamp(message.start_time) if message.HasField("start_time") else None,
        outcome=outcome_from_message(message.outcome),
        error=error_from_message(message.error) if message.HasField("error") else None,
        caller=message.caller,
        peer=message.peer,
        request_id=message.request_id,
        call=message.call,
        detail=message.detail,
        retry_of=message.retry_of,
    )


def _kind(number: events_pb2.EventKind.ValueType) -> EventKind:
    if number not in events_pb2.EventKind.values():
        return EventKind.UNSPECIFIED
    return EventKind(events_pb2.EventKind.Name(number).removeprefix("EVENT_KIND_"))
