"""A form for a task type's arguments, made from its parameters, and the JSON that it stands for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskgate.server.messages import values
from taskgate.v1 import task_type_pb2
from taskgate.web.security import Form

PREFIX = "argument:"
"""Of the fields' names, so that a parameter may have any name."""

_POSITIONAL_ONLY = task_type_pb2.PARAMETER_KIND_POSITIONAL_ONLY
_ANY_POSITIONAL = task_type_pb2.PARAMETER_KIND_VAR_POSITIONAL
_ANY_NAMED = task_type_pb2.PARAMETER_KIND_VAR_KEYWORD
_KEYWORD_ONLY = task_type_pb2.PARAMETER_KIND_KEYWORD_ONLY


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter as a form has it."""

    parameter: str
    shape: str
    """``text``, ``json`` or ``choice``."""
    type: str
    """What it takes, in words."""
    required: bool
    choices: Sequence[str] = ()
    """JSON texts."""
    hint: str = ""
    default: str = ""
    """What is taken if it is left out, as JSON text; empty if the schema does not say."""

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return PREFIX + self.parameter

    @property
    def id(self) -> str:
        """Its id on the page."""
        return self.name.replace(" ", "-")


def fields_of(task_type: task_type_pb2.TaskType) -> list[Field]:
    """The fields of a task type's parameters, in their order."""
    return [_field(parameter) for parameter in task_type.parameters]


def arguments_json(task_type: task_type_pb2.TaskType, form: Form) -> str:
    """The arguments that a filled form stands for, as the API takes them.

    What was typed stays as it is, to the letter: nothing here knows better than the server what a
    parameter takes, so what is no JSON is sent as text, and refused there if it must be.
    """
    args: list[str] = []
    kwargs: dict[str, str] = {}
    by_position = bool(form.text(PREFIX + _rest(task_type)).strip())
    for parameter, field in zip(task_type.parameters, fields_of(task_type), strict=True):
        text = form.text(field.name)
        value = _value(field, text)
        if value is None:
            continue
        if parameter.kind == _ANY_POSITIONAL:
            args += _items(value)
        elif parameter.kind == _ANY_NAMED:
            kwargs |= dict(_members(value))
        elif parameter.kind == _POSITIONAL_ONLY or (
            by_position and parameter.kind != _KEYWORD_ONLY
        ):
            args.append(value)
        else:
            kwargs[parameter.name] = value
    members = ", ".join(f"{json.dumps(name)}: {value}" for name, value in kwargs.items())
    return f'{{"args": [{", ".join(args)}], "kwargs": {{{members}}}}}'


def _rest(task_type: task_type_pb2.TaskType) -> str:
    """The name of ``*args``; empty if there is none."""
    return next((one.name for one in task_type.parameters if one.kind == _ANY_POSITIONAL), "")


def _value(field: Field, text: str) -> str | None:
    """The JSON of what was typed; None if the argument is left out."""
    if field.shape == "text":
        return json.dumps(text) if text or field.required else None
    if not text.strip():
        return '""' if field.required and field.shape != "choice" else None
    return text.strip() if _is_json(text) else json.dumps(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _items(value: str) -> Iterator[str]:
    parsed = json.loads(value)
    yield from (json.dumps(one) for one in (parsed if isinstance(parsed, list) else [parsed]))


def _members(value: str) -> Iterator[tuple[str, str]]:
    parsed = json.loads(value)
    if isinstance(parsed, dict):
        yield from ((name, json.dumps(one)) for name, one in parsed.items())


def _field(parameter: task_type_pb2.Parameter) -> Field:
    schema = values.from_struct(parameter.schema)
    if parameter.kind == _ANY_POSITIONAL:
        return Field(parameter.name, "json", "a list of more arguments", required=False)
    if parameter.kind == _ANY_NAMED:
        return Field(parameter.name, "json", "an object of more arguments", required=False)
    choices = _choices(schema)
    return Field(
        parameter.name,
        "choice" if choices else "text" if _types(schema) == ["string"] else "json",
        " or ".join(_types(schema)) or "any JSON",
        required=parameter.required,
        choices=choices,
        hint=str(schema.get("description", "")),
        default=json.dumps(schema["default"]) if "default" in schema else "",
    )


def _types(schema: Mapping[str, Any]) -> list[str]:
    """What a schema takes, in words; nothing if it does not say."""
    found: list[str] = []
    for one in schema.get("anyOf") or schema.get("oneOf") or [schema]:
        kinds = one.get("type", []) if isinstance(one, dict) else []
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            words = f"{kind} ({one['format']})" if one.get("format") else kind
            if words not in found:
                found.append(words)
    return found


def _choices(schema: Mapping[str, Any]) -> list[str]:
    """All values that it can take, if these are few."""
    if "enum" in schema:
        return [json.dumps(value, ensure_ascii=False) for value in schema["enum"]]
    return ["true", "false"] if schema.get("type") == "boolean" else []
