"""What the client raises.

::

    TaskgateError                a call did not do what was asked; code and reason say why
    ├── InvalidRequest           a field holds what it must not; `violations` names it
    │   ├── ArgumentsInvalid     the arguments do not fit the task type
    │   ├── TaskTypeUnknown      no worker has registered the task type
    │   └── PayloadTooLarge      the request is larger than the server takes
    ├── TaskNotFound             no task has the id
    ├── TaskNotFinal             the call needs a task that has ended
    ├── TaskAlreadyFinal         the call needs a task that has not ended
    ├── CannotForceAbort         the task's worker cannot end a running task
    ├── RequestIdReused          the request id was used before, for something else
    ├── QueueFull                too many tasks wait already
    ├── Unauthenticated          the server wants a token, or another one
    ├── PermissionDenied         the token's roles or patterns do not allow it
    ├── Unavailable              the server, or its database, does not answer
    └── DeadlineExceeded         the answer did not come in time
    TaskUnsuccessful             the task has no result, and never will; `task` says why
    ├── TaskFailed
    ├── TaskAborted
    └── TaskExpired
    WaitTimeout                  the tasks had not ended when the time was over

The server's reasons are a growing list: one that this version does not know comes as TaskgateError
(or as the class of its gRPC code) with the reason in `reason`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from taskgate.client.task import State, Task
from taskgate.client.values import from_duration
from taskgate.v1.reasons import Reason

_STATUS_KEY = "grpc-status-details-bin"

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of the request that holds what it must not."""

    field: str
    """Its path, for example ``kwargs.seconds``."""
    description: str


class TaskgateError(Exception):
    """A call did not do what was asked."""

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        """Says exactly what was wrong, one of ``Reason`` or newer; empty if nobody said."""
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_after = retry_after
        """Seconds after which it is worth trying again, if the server said so."""


class InvalidRequest(TaskgateError):
    """A field holds what it must not; ``violations`` names it."""


class ArgumentsInvalid(InvalidRequest):
    """The arguments do not fit the task type."""


class TaskTypeUnknown(InvalidRequest):
    """No worker has registered the task type."""


class PayloadTooLarge(InvalidRequest):
    """The request is larger than the server takes."""


class TaskNotFound(TaskgateError):
    """No task has the id."""


class TaskNotFinal(TaskgateError):
    """The task has not ended, and the call needs one that has."""


class TaskAlreadyFinal(TaskgateError):
    """The task has ended, and the call needs one that has not."""


class CannotForceAbort(TaskgateError):
    """The worker that runs the task cannot end a running task; prefork workers can."""


class RequestIdReused(TaskgateError):
    """The request id was used before, for something else."""


class UniqueKeyHeld(TaskgateError):
    """Another task holds the unique key: ``metadata["task_id"]``."""


class QueueFull(TaskgateError):
    """Too many tasks wait already."""


class Unauthenticated(TaskgateError):
    """The server wants a token, or another one."""


class PermissionDenied(TaskgateError):
    """The token does not allow it: ``reason`` and ``metadata`` say what is missing."""


class Unavailable(TaskgateError):
    """The server, or its database, does not answer; the same call may work later."""


class DeadlineExceeded(TaskgateError):
    """The answer did not come in time; the server may have done what was asked all the same."""


class TaskUnsuccessful(Exception):
    """The task has no result, and never will."""

    def __init__(self, task: Task) -> None:
        super().__init__(_end_of(task))
        self.task = task


class TaskFailed(TaskUnsuccessful):
    """The task raised, or could not be run; ``task.error`` says more."""


class TaskAborted(TaskUnsuccessful):
    """The task was aborted."""


class TaskExpired(TaskUnsuccessful):
    """The task had not started when it expired."""


class WaitTimeout(TimeoutError):
    """The task had not ended when the time was over; it goes on."""


_BY_REASON: Mapping[str, type[TaskgateError]] = {
    Reason.ARGUMENTS_INVALID: ArgumentsInvalid,
    Reason.CANNOT_FORCE_ABORT: CannotForceAbort,
    Reason.PAYLOAD_TOO_LARGE: PayloadTooLarge,
    Reason.QUEUE_FULL: QueueFull,
    Reason.REQUEST_ID_REUSED: RequestIdReused,
    Reason.TASK_ALREADY_FINAL: TaskAlreadyFinal,
    Reason.TASK_NOT_FINAL: TaskNotFinal,
    Reason.TASK_NOT_FOUND: TaskNotFound,
    Reason.TASK_TYPE_UNKNOWN: TaskTypeUnknown,
    Reason.UNIQUE_KEY_HELD: UniqueKeyHeld,
}

_BY_CODE: Mapping[grpc.StatusCode, type[TaskgateError]] = {
    # gRPC's core answers it to calls that it took and had not begun when the server stopped.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
}

_UNSUCCESSFUL: Mapping[State, type[TaskUnsuccessful]] = {
    State.FAILED: TaskFailed,
    State.ABORTED: TaskAborted,
    State.EXPIRED: TaskExpired,
}


def error_from_call(call: grpc.RpcError) -> TaskgateError:
    """The typed error for what a gRPC call raised."""
    if not isinstance(call, grpc.Call | grpc.aio.AioRpcError):
        return TaskgateError(str(call), code=grpc.StatusCode.UNKNOWN)
    return _error(call.code(), call.details() or "", _status(call))


def error_from_status(status: status_pb2.Status) -> TaskgateError:
    """The typed error for a status, as batches answer one for each item."""
    return _error(_CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message, status)


def error_from_task(task: Task) -> TaskUnsuccessful:
    """The typed error for a task that ended otherwise than SUCCEEDED."""
    return _UNSUCCESSFUL.get(task.state, TaskUnsuccessful)(task)


def _error(code: grpc.StatusCode, message: str, status: status_pb2.Status) -> TaskgateError:
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        for kind in (info, request, retry):
            detail.Unpack(kind)
    return (_BY_REASON.get(info.reason) or _BY_CODE.get(code, TaskgateError))(
        message or code.name,
        code=code,
        reason=info.reason,
        metadata=info.metadata,
        violations=tuple(Violation(v.field, v.description) for v in request.field_violations),
        retry_after=from_duration(retry.retry_delay) if retry.HasField("retry_delay") else None,
    )


def _status(call: grpc.Call | grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in call.trailing_metadata() or ():
        if key == _STATUS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break  # not a status: the code and the message have to do
    return status_pb2.Status()


def _end_of(task: Task) -> str:
    end = f"task {task.id} ({task.task_type}) is {task.state}"
    if task.error is not None:
        return f"{end}: {task.error}"
    if task.abort is not None and task.abort.reason:
        return f"{end}: {task.abort.reason}"
    return end
