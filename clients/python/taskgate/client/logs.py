"""What a task has logged."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from taskgate.client.calls import Caller
from taskgate.client.values import from_timestamp
from taskgate.v1 import logs_pb2

_WAIT_SECONDS = 30.0
"""How long one call waits for the next lines."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a task has logged."""

    time: datetime
    """By the clock of the worker's machine."""
    attempt: int
    number: int
    """Counts the attempt's lines from 1; only the newest are kept."""
    level: str
    logger: str
    message: str


async def log_lines(caller: Caller, task_id: str, *, follow: bool) -> AsyncGenerator[LogLine]:
    """A task's lines; with ``follow`` also those to come, until it has ended."""
    request = logs_pb2.GetLogsRequest(id=task_id)
    wait = 0.0
    while True:
        response = await caller.call(caller.stub.GetLogs, request, more_time=wait)
        for message in response.lines:
            yield log_line_from_message(message)
        if not response.has_more and (response.is_final or not follow):
            return
        request.after = response.cursor
        if follow:
            wait = _WAIT_SECONDS
            request.wait.FromMilliseconds(int(wait * 1000))


def log_line_from_message(message: logs_pb2.LogLine) -> LogLine:
    """The only place where a message becomes a LogLine."""
    return LogLine(
        time=from_timestamp(message.time),
        attempt=message.attempt,
        number=message.number,
        level=message.level,
        logger=message.logger,
        message=message.message,
    )
