"""Events as the API's messages."""

from __future__ import annotations

from taskgate.server.messages.tasks import enum_value, error_message
from taskgate.server.messages.values import timestamp
from taskgate.server.text import fit, printable
from taskgate.store.event import Event
from taskgate.v1 import events_pb2, task_pb2

MAX_DETAIL_LENGTH = 1_000
"""In characters, so that a page stays below what clients take."""


def event_message(event: Event, cursor: str) -> events_pb2.Event:
    """An event, and where it stands."""
    message = events_pb2.Event(
        id=printable(f"{event.task_id}/{event.kind.lower()}/{event.number}"),
        cursor=cursor,
        time=timestamp(event.time),
        kind=enum_value(events_pb2.EventKind, "EVENT_KIND", event.kind),
        task_id=printable(event.task_id),
        task_type=printable(event.task_type),
        queue=printable(event.queue),
        attempt=event.attempt,
        worker=printable(event.worker),
        start_time=timestamp(event.started_at),
        caller=event.caller,
        peer=event.peer,
        request_id=event.request_id,
        call=event.call,
        detail=printable(fit(event.detail, MAX_DETAIL_LENGTH)),
        retry_of=printable(event.retry_of),
    )
    if event.state is not None:
        message.state = enum_value(task_pb2.TaskState, "TASK_STATE", event.state)
    if event.outcome is not None:
        message.outcome = enum_value(task_pb2.AttemptOutcome, "ATTEMPT_OUTCOME", event.outcome)
    if event.failure is not None:
        message.error.CopyFrom(error_message(event.failure))
        message.error.message = fit(message.error.message, MAX_DETAIL_LENGTH)
    return message
