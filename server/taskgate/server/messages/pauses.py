"""Pauses as the API's messages."""

from __future__ import annotations

from taskgate.server.messages.values import timestamp
from taskgate.server.text import printable
from taskgate.store.pauses import Kind, Pause
from taskgate.v1 import pauses_pb2


def pause_message(pause: Pause) -> pauses_pb2.Pause:
    """What is paused, since when, by whom and why."""
    field = "queue" if pause.target.kind is Kind.QUEUE else "task_type"
    target = {field: printable(pause.target.name)}
    return pauses_pb2.Pause(
        **target,
        pause_time=timestamp(pause.paused_at),
        by=printable(pause.paused_by),
        reason=printable(pause.reason),
    )
