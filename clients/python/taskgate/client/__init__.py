"""Submit tasks to a taskgate server, and follow them.

::

    from taskgate.client import Client

    with Client("127.0.0.1:50051") as client:
        task = client.submit("demo.add", [2, 3])
        print(task.result(timeout=10))

All durations are in seconds, all times are aware datetimes in UTC. A Client and its handles may be
used by many threads at once, not across a fork.
"""

from __future__ import annotations

from taskgate.client.client import Client
from taskgate.client.errors import (
    ArgumentsInvalid,
    CannotForceAbort,
    DeadlineExceeded,
    InvalidRequest,
    PayloadTooLarge,
    QueueFull,
    RequestIdReused,
    TaskAborted,
    TaskAlreadyFinal,
    TaskExpired,
    TaskFailed,
    TaskgateError,
    TaskNotFinal,
    TaskNotFound,
    TaskTypeUnknown,
    TaskUnsuccessful,
    Unauthenticated,
    Unavailable,
    Violation,
    WaitTimeout,
)
from taskgate.client.handle import TaskHandle
from taskgate.client.task import Abort, Attempt, Progress, State, Task, TaskError

__all__ = [
    "Abort",
    "ArgumentsInvalid",
    "Attempt",
    "CannotForceAbort",
    "Client",
    "DeadlineExceeded",
    "InvalidRequest",
    "PayloadTooLarge",
    "Progress",
    "QueueFull",
    "RequestIdReused",
    "State",
    "Task",
    "TaskAborted",
    "TaskAlreadyFinal",
    "TaskError",
    "TaskExpired",
    "TaskFailed",
    "TaskHandle",
    "TaskNotFinal",
    "TaskNotFound",
    "TaskTypeUnknown",
    "TaskUnsuccessful",
    "TaskgateError",
    "Unauthenticated",
    "Unavailable",
    "Violation",
    "WaitTimeout",
]
