"""Operations: work on many tasks that goes on after the call was answered."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from taskgate.client.task import State, Task, task_from_message
from taskgate.client.values import from_timestamp, to_timestamp
from taskgate.v1 import operations_pb2, task_filter_pb2, task_pb2

_Response = (
    operations_pb2.AbortTasksResponse
    | operations_pb2.RetryTasksResponse
    | operations_pb2.DeleteTasksResponse
)


class OperationKind(StrEnum):
    """What an operation does."""

    UNSPECIFIED = "UNSPECIFIED"
    """A kind that this version of the client does not know."""
    ABORT = "ABORT"
    RETRY = "RETRY"
    DELETE = "DELETE"


class OperationState(StrEnum):
    """Whether an operation goes on."""

    UNSPECIFIED = "UNSPECIFIED"
    """A state that this version of the client does not know."""
    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Tasks that fit every filter that is given."""

    states: Iterable[State] = ()
    """In one of these."""
    task_types: Iterable[str] = ()
    """Of one of these."""
    queues: Iterable[str] = ()
    """In one of these."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """With all of these."""
    created_from: datetime | None = None
    """Submitted at this time or later."""
    created_before: datetime | None = None
    """Submitted before this time."""
    root_id: str = ""
    """This task and its retries."""
    schedule: str = ""
    """Submitted by the schedule with this id."""

    def message(self) -> task_filter_pb2.TaskFilter:
        """The filter as the calls take it."""
        return task_filter_pb2.TaskFilter(
            states=[task_pb2.TaskState.Value(f"TASK_STATE_{state}") for state in self.states],
            task_types=self.task_types,
            queues=self.queues,
            labels=self.labels,
            create_time_from=to_timestamp(self.created_from),
            create_time_before=to_timestamp(self.created_before),
            root_id=self.root_id,
            schedule=self.schedule,
        )


@dataclass(frozen=True, slots=True)
class OperationFailure:
    """A task that was left as it is."""

    task_id: str
    reason: str
    """As in ``Reason``."""
    message: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Work on many tasks."""

    id: str
    kind: OperationKind
    state: OperationState
    total: int
    """How many tasks there were, when it was asked for."""
    done: int
    """With how many of them it is done."""
    outcomes: Mapping[str, int]
    """How many became ABORTED, ABORTING, RETRIED, DELETED, or were left as they are, by reason."""
    failures: tuple[OperationFailure, ...]
    """The first that were left as they are."""
    by: str
    reason: str
    create_time: datetime
    finish_time: datetime | None
    rate: float
    """Tasks a second, at most."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a call about many tasks has begun."""

    total: int
    """How many tasks there are."""
    examples: tuple[Task, ...]
    """Some of them, in a dry run."""
    operation: Operation | None
    """None in a dry run."""


def operation_from_message(message: operations_pb2.Operation) -> Operation:
    """The only place where a message becomes an Operation."""
    return Operation(
        id=message.id,
        kind=_kind(message.kind),
        state=_state(message.state),
        total=message.total,
        done=message.done,
        outcomes=dict(message.outcomes),
        failures=tuple(
            OperationFailure(one.task_id, one.reason, one.message) for one in message.failures
        ),
        by=message.by,
        reason=message.reason,
        create_time=from_timestamp(message.create_time),
        finish_time=(
            from_timestamp(message.finish_time) if message.HasField("finish_time") else None
        ),
        rate=message.tasks_per_second,
    )


def begun_from(message: _Response) -> Begun:
    """What a call has begun."""
    operation = message.operation if message.HasField("operation") else None
    return Begun(
        total=message.total,
        examples=tuple(map(task_from_message, message.examples)),
        operation=None if operation is None else operation_from_message(operation),
    )


def selection_of(chosen: TaskFilter | Iterable[str]) -> operations_pb2.TaskSelection:
    """Which tasks, as the calls take it."""
    if isinstance(chosen, TaskFilter):
        return operations_pb2.TaskSelection(filter=chosen.message())
    return operations_pb2.TaskSelection(ids=chosen)


def options(rate: float, dry_run: bool, request_id: str | None) -> operations_pb2.OperationOptions:
    """How, as the calls take it."""
    return operations_pb2.OperationOptions(
        dry_run=dry_run,
        tasks_per_second=rate,
        request_id=str(uuid.uuid4()) if request_id is None else request_id,
    )


def _kind(number: operations_pb2.OperationKind.ValueType) -> OperationKind:
    if number not in operations_pb2.OperationKind.values():
        return OperationKind.UNSPECIFIED
    name = operations_pb2.OperationKind.Name(number)
    return OperationKind(name.removeprefix("OPERATION_KIND_"))


def _state(number: operations_pb2.OperationState.ValueType) -> OperationState:
    if number not in operations_pb2.OperationState.values():
        return OperationState.UNSPECIFIED
    name = operations_pb2.OperationState.Name(number)
    return OperationState(name.removeprefix("OPERATION_STATE_"))
