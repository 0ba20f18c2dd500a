"""Workers, and the task types that they registered, as the API's messages."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct

from taskgate.server.messages import values
from taskgate.server.messages.pauses import pause_message
from taskgate.server.messages.values import timestamp
from taskgate.server.requests.catalog import KnownType
from taskgate.server.requests.signature import BY_NAME, Kind
from taskgate.server.text import printable
from taskgate.store.pauses import Pause
from taskgate.store.task_types import TaskType
from taskgate.store.workers import Worker
from taskgate.tasks.json_schemas import READ_AS, SIZE
from taskgate.v1 import task_type_pb2, worker_pb2


def task_type_message(recorded: TaskType, pause: Pause | None) -> task_type_pb2.TaskType:
    """Everything that is registered about a task type, and its pause, if there is one."""
    definition = recorded.definition
    known = KnownType(recorded)
    return task_type_pb2.TaskType(
        name=printable(recorded.name),
        doc=printable(definition.get("doc") or ""),
        queue=known.queue,
        revision=recorded.revision,
        signature=printable(definition.get("signature") or _untyped_signature(definition)),
        parameters=[_parameter_message(values) for values in definition["parameters"]],
        arguments_schema=_struct(arguments_schema(definition)),
        max_attempts=known.max_attempts or 0,
        at_most_once=bool((definition.get("options") or {}).get("at_most_once")),
        registered_by=recorded.registered_by,
        register_time=timestamp(recorded.registered_at),
        pause=None if pause is None else pause_message(pause),
    )


def arguments_schema(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema of the arguments passed by name."""
    named = [p for p in definition["parameters"] if Kind(p["kind"]) in BY_NAME]
    rest = [p for p in definition["parameters"] if Kind(p["kind"]) is Kind.VAR_KEYWORD]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {p["name"]: p.get("schema") or {} for p in named},
        "required": [p["name"] for p in named if p["required"]],
        "additionalProperties": (rest[0].get("schema") or {}) if rest else False,
    }
    if definition.get("defs"):
        schema["$defs"] = definition["defs"]
    return schema


def worker_message(worker: Worker, active_tasks: int) -> worker_pb2.Worker:
    """A worker, with how many tasks it runs according to the record."""
    details = worker.details
    return worker_pb2.Worker(
        id=printable(worker.id),
        state=_state(worker),
        host=printable(str(details.get("host", ""))),
        pid=details.get("pid") or 0,
        pool=printable(str(details.get("pool", ""))),
        concurrency=details.get("concurrency") or 0,
        queues=[printable(queue) for queue in details.get("queues") or ()],
        can_force_abort=details.get("can_force") is True,
        start_time=timestamp(worker.started_at),
        lease_expire_time=timestamp(worker.lease_expires_at),
        stop_time=timestamp(worker.stopped_at or worker.lost_at),
        active_tasks=active_tasks,
    )


class _Omitted:
    def __repr__(self) -> str:
        return "…"


def _untyped_signature(definition: Mapping[str, Any]) -> str:
    """The parameters' names, for types that a worker older than 0.2 registered."""
    variable = (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
    parameters = [
        inspect.Parameter(
            parameter["name"],
            getattr(inspect.Parameter, parameter["kind"]),
            default=(
                inspect.Parameter.empty
                if parameter["required"] or parameter["kind"] in variable
                else _Omitted()
            ),
        )
        for parameter in definition["parameters"]
    ]
    return str(inspect.Signature(parameters))


def _parameter_message(parameter: Mapping[str, Any]) -> task_type_pb2.Parameter:
    return task_type_pb2.Parameter(
        name=printable(parameter["name"]),
        kind=task_type_pb2.ParameterKind.Value(f"PARAMETER_KIND_{parameter['kind']}"),
        required=parameter["required"],
        schema=_struct(parameter.get("schema") or {}),
    )


def _struct(schema: Mapping[str, Any]) -> Struct | None:
    """The schema; None if protobuf cannot carry it exactly, for a wrong one would mislead."""
    try:
        return values.to_struct(_without_notes(schema))
    except values.Inexact:
        return None


def _without_notes(schema: Any) -> Any:
    """The schema without what workers note in it for servers alone."""
    match schema:
        case dict():
            return {
                k: _without_notes(value) for k, value in schema.items() if k not in (READ_AS, SIZE)
            }
        case list():
            return [_without_notes(item) for item in schema]
    return schema


def _state(worker: Worker) -> worker_pb2.WorkerState.ValueType:
    if worker.is_alive:
        return worker_pb2.WORKER_STATE_ALIVE
    if worker.stopped_at is not None:
        return worker_pb2.WORKER_STATE_STOPPED
    return worker_pb2.WORKER_STATE_LOST
