"""Submit tasks to a taskgate server, and follow them.

::

    from taskgate.client import Client, State, Submission, TaskHandle

    with Client("127.0.0.1:50051") as client:
        task = client.submit("demo.add", [2, 3])
        print(task.result(timeout=10))

        many = [Submission("demo.add", [number, 1]) for number in range(10)]
        tasks = [task for task in client.submit_many(many) if isinstance(task, TaskHandle)]
        for task in client.watch(tasks):
            print(task.id, task.state)
        for task in client.list(states=[State.FAILED]):
            print(task.id, task.error)

In an event loop::

    async with AsyncClient("127.0.0.1:50051") as client:
        task = await client.submit("demo.add", [2, 3])
        print(await task.result(timeout=10))

All durations are in seconds, all times are aware datetimes in UTC. A Client and its handles may be
used by many threads at once, not across a fork.
"""

from __future__ import annotations

from taskgate.client.async_client import AsyncClient
from taskgate.client.client import Client
from taskgate.client.counts import Counted, GroupCount
from taskgate.client.errors import (
    ArgumentsInvalid,
    CannotForceAbort,
    DeadlineExceeded,
    InvalidRequest,
    PayloadTooLarge,
    PermissionDenied,
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
    UniqueKeyHeld,
    Violation,
    WaitTimeout,
)
from taskgate.client.events import Event, EventKind
from taskgate.client.handle import AsyncTaskHandle, TaskHandle
from taskgate.client.listing import AsyncTasks, Page, Tasks
from taskgate.client.logs import LogLine
from taskgate.client.operations import (
    Begun,
    Operation,
    OperationFailure,
    OperationKind,
    OperationState,
    TaskFilter,
)
from taskgate.client.pauses import Pause
from taskgate.client.retry_policy import RetryPolicy
from taskgate.client.schedules import (
    MissedTicksPolicy,
    OverlapPolicy,
    Schedule,
    SchedulePause,
    Tick,
    TickOutcome,
)
from taskgate.client.stats import Activity, Queue, Rates, StateCount, Stats
from taskgate.client.submission import Submission
from taskgate.client.task import Abort, Attempt, Progress, State, Task, TaskError
from taskgate.client.task_type import Parameter, ParameterKind, TaskType
from taskgate.client.unique import Unique
from taskgate.client.version import VERSION
from taskgate.client.worker import Worker, WorkerState
from taskgate.v1.reasons import Reason

__version__ = VERSION

__all__ = [
    "Abort",
    "Activity",
    "ArgumentsInvalid",
    "AsyncClient",
    "AsyncTaskHandle",
    "AsyncTasks",
    "Attempt",
    "Begun",
    "CannotForceAbort",
    "Client",
    "Counted",
    "DeadlineExceeded",
    "Event",
    "EventKind",
    "GroupCount",
    "InvalidRequest",
    "LogLine",
    "MissedTicksPolicy",
    "Operation",
    "OperationFailure",
    "OperationKind",
    "OperationState",
    "OverlapPolicy",
    "Page",
    "Parameter",
    "ParameterKind",
    "Pause",
    "PayloadTooLarge",
    "PermissionDenied",
    "Progress",
    "Queue",
    "QueueFull",
    "Rates",
    "Reason",
    "RequestIdReused",
    "RetryPolicy",
    "Schedule",
    "SchedulePause",
    "State",
    "StateCount",
    "Stats",
    "Submission",
    "Task",
    "TaskAborted",
    "TaskAlreadyFinal",
    "TaskError",
    "TaskExpired",
    "TaskFailed",
    "TaskFilter",
    "TaskHandle",
    "TaskNotFinal",
    "TaskNotFound",
    "TaskType",
    "TaskTypeUnknown",
    "TaskUnsuccessful",
    "TaskgateError",
    "Tasks",
    "Tick",
    "TickOutcome",
    "Unauthenticated",
    "Unavailable",
    "Unique",
    "UniqueKeyHeld",
    "Violation",
    "WaitTimeout",
    "Worker",
    "WorkerState",
    "__version__",
]
