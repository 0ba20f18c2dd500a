"""Pauses: queues and task types of which nothing new starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from taskgate.client.values import from_timestamp
from taskgate.v1 import pauses_pb2


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing new of a queue, or of a task type, starts."""

    queue: str
    """Empty if a task type is paused."""
    task_type: str
    """Empty if a queue is paused."""
    pause_time: datetime
    by: str
    """Empty if callers have no names."""
    reason: str


def pause_from_message(message: pauses_pb2.Pause) -> Pause:
    """The only place where a message becomes a Pause."""
    return Pause(
        queue=message.queue,
        task_type=message.task_type,
        pause_time=from_timestamp(message.pause_time),
        by=message.by,
        reason=message.reason,
    )
