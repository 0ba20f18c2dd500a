"""Task types as the API's messages, with a signature that people read at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct

from taskgate.server.messages import values
from taskgate.server.requests.catalog import KnownType
from taskgate.server.requests.signature import BY_NAME, Kind
from taskgate.server.requests.text import printable
from taskgate.store.task_types import TaskType
from taskgate.v1 import task_type_pb2

_PYTHON_NAMES = {
    "array": "list",
    "boolean": "bool",
    "integer": "int",
    "null": "None",
    "number": "float",
    "object": "dict",
    "string": "str",
}

_FORMATS = {
    "date": "date",
    "date-time": "datetime",
    "decimal": "Decimal",
    "duration": "timedelta",
    "time": "time",
    "uuid": "UUID",
}

_STARS = {Kind.VAR_POSITIONAL: "*", Kind.VAR_KEYWORD: "**"}


def task_type_message(recorded: TaskType) -> task_type_pb2.TaskType:
    """Everything that is registered about a task type."""
    definition = recorded.definition
    known = KnownType(recorded)
    message = task_type_pb2.TaskType(
        name=printable(recorded.name),
        doc=printable(definition.get("doc") or ""),
        queue=known.queue,
        revision=recorded.revision,
        signature=printable(signature(definition)),
        parameters=[_parameter_message(values) for values in definition["parameters"]],
        arguments_schema=_struct(arguments_schema(definition)),
        max_attempts=known.max_attempts or 0,
        at_most_once=bool((definition.get("options") or {}).get("at_most_once")),
        registered_by=recorded.registered_by,
    )
    message.register_time.FromDatetime(recorded.registered_at)
    return message


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


def signature(definition: Mapping[str, Any]) -> str:
    """The parameters in Python's notation, for example ``(x: float, *, y: int = …)``."""
    parts: list[str] = []
    before: Kind | None = None
    for parameter in definition["parameters"]:
        kind = Kind(parameter["kind"])
        if before is Kind.POSITIONAL_ONLY and kind is not before:
            parts.append("/")
        if kind is Kind.KEYWORD_ONLY and before not in (kind, Kind.VAR_POSITIONAL):
            parts.append("*")
        parts.append(_written(parameter, kind))
        before = kind
    if before is Kind.POSITIONAL_ONLY:
        parts.append("/")
    return f"({', '.join(parts)})"


def _written(parameter: Mapping[str, Any], kind: Kind) -> str:
    schema = dict(parameter.get("schema") or {})
    default = repr(schema.pop("default")) if "default" in schema else "…"
    text = f"{_STARS.get(kind, '')}{parameter['name']}"
    if parameter["required"] or kind in _STARS:
        return f"{text}: {_type_name(schema)}" if schema else text
    return f"{text}: {_type_name(schema)} = {default}" if schema else f"{text}={default}"


def _type_name(schema: Mapping[str, Any]) -> str:
    """A Python type like those that have this schema; ``Any`` where that cannot be told."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum') or [schema['const']]))}]"
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return " | ".join(_type_name(one) for one in schema[alternatives])
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        return f"list[{_type_name(schema['items'])}]"
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return _PYTHON_NAMES.get(str(schema.get("type")), "Any")


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
        return values.to_struct(schema)
    except values.Inexact:
        return None
