"""The task type as a client sees it: a Python function that tasks run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskgate.client.pauses import Pause, pause_from_message
from taskgate.client.values import from_struct, from_timestamp
from taskgate.v1 import task_type_pb2


class ParameterKind(StrEnum):
    """How a parameter takes arguments, in Python's words."""

    UNSPECIFIED = "UNSPECIFIED"
    """A kind that this version of the client does not know."""
    POSITIONAL_ONLY = "POSITIONAL_ONLY"
    POSITIONAL_OR_KEYWORD = "POSITIONAL_OR_KEYWORD"
    VAR_POSITIONAL = "VAR_POSITIONAL"
    KEYWORD_ONLY = "KEYWORD_ONLY"
    VAR_KEYWORD = "VAR_KEYWORD"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a task type."""

    name: str
    kind: ParameterKind
    required: bool
    schema: Mapping[str, Any]
    """A JSON Schema of its values; empty if anything fits."""


@dataclass(frozen=True, slots=True)
class TaskType:
    """A Python function that tasks run, as its workers registered it."""

    name: str
    doc: str
    queue: str
    """Of tasks that name none."""
    revision: int
    """Raised by one whenever a worker registers a changed definition."""
    signature: str
    """In Python's notation, for example ``(x: float, y: float)``."""
    parameters: tuple[Parameter, ...]
    arguments_schema: Mapping[str, Any]
    """A JSON Schema of the arguments passed by name."""
    max_attempts: int | None
    """How many attempts a task has unless its submission says otherwise; None if not bounded."""
    at_most_once: bool
    """A task that lost its worker is failed, never run again."""
    register_time: datetime
    registered_by: str
    """The worker that registered this revision."""
    pause: Pause | None
    """Why nothing new of it starts; None unless it is paused."""


def task_type_from_message(message: task_type_pb2.TaskType) -> TaskType:
    """The only place where a message becomes a TaskType."""
    return TaskType(
        name=message.name,
        doc=message.doc,
        queue=message.queue,
        revision=message.revision,
        signature=message.signature,
        parameters=tuple(map(_parameter, message.parameters)),
        arguments_schema=from_struct(message.arguments_schema),
        max_attempts=message.max_attempts or None,
        at_most_once=message.at_most_once,
        register_time=from_timestamp(message.register_time),
        registered_by=message.registered_by,
        pause=pause_from_message(message.pause) if message.HasField("pause") else None,
    )


def _parameter(message: task_type_pb2.Parameter) -> Parameter:
    return Parameter(
        name=message.name,
        kind=_kind(message.kind),
        required=message.required,
        schema=from_struct(message.schema),
    )


def _kind(number: task_type_pb2.ParameterKind.ValueType) -> ParameterKind:
    if number not in task_type_pb2.ParameterKind.values():
        return ParameterKind.UNSPECIFIED
    return ParameterKind(task_type_pb2.ParameterKind.Name(number).removeprefix("PARAMETER_KIND_"))
