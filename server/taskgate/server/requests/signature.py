"""A task type's parameters, and how arguments fit them: as Python would bind them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import jsonschema_rs

from taskgate.server.errors import Violation, ViolationReason
from taskgate.server.requests.arguments import Arguments
from taskgate.server.requests.schema import Schema
from taskgate.server.requests.schema_errors import path_step
from taskgate.server.text import nearest

logger = logging.getLogger(__name__)


class Kind(StrEnum):
    """How a parameter takes arguments, in the words of Python's ``inspect``."""

    POSITIONAL_ONLY = "POSITIONAL_ONLY"
    POSITIONAL_OR_KEYWORD = "POSITIONAL_OR_KEYWORD"
    VAR_POSITIONAL = "VAR_POSITIONAL"
    KEYWORD_ONLY = "KEYWORD_ONLY"
    VAR_KEYWORD = "VAR_KEYWORD"


_BY_POSITION = (Kind.POSITIONAL_ONLY, Kind.POSITIONAL_OR_KEYWORD)
BY_NAME = (Kind.POSITIONAL_OR_KEYWORD, Kind.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, with the schema of its values."""

    name: str
    kind: Kind
    required: bool
    schema: Schema | None
    """None if anything fits."""

    def validate(self, value: Any, field: str) -> Iterator[Violation]:
        """What is wrong with a value that the field brings for this parameter."""
        if self.schema is not None:
            yield from self.schema.errors(value, field)


class Signature:
    """The parameters of a task type."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self._positional = [p for p in parameters if p.kind in _BY_POSITION]
        self._named = {p.name: p for p in parameters if p.kind in BY_NAME}
        self._rest_positional = _only(parameters, Kind.VAR_POSITIONAL)
        self._rest_named = _only(parameters, Kind.VAR_KEYWORD)
        self._required = [p for p in parameters if p.required]

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> Self:
        """The signature as a worker registered it."""
        shared = definition.get("defs") or {}
        return cls([_parameter(values, shared) for values in definition["parameters"]])

    def validate(self, arguments: Arguments) -> Iterator[Violation]:
        """Everything for which Python would refuse the call, or a parameter's schema a value."""
        by_position = self._positional[: len(arguments.args)]
        yield from self._validate_by_position(arguments.args)
        for name, value in arguments.kwargs.items():
            yield from self._validate_by_name(name, value, by_position)
        given = {p.name for p in by_position}
        given.update(name for name in arguments.kwargs if name in self._named)
        for parameter in self._required:
            if parameter.name not in given:
                yield self._missing(parameter)

    def _validate_by_position(self, args: Sequence[Any]) -> Iterator[Violation]:
        for index, value in enumerate(args):
            parameter = self._at(index)
            if parameter is None:
                most = len(self._positional)
                yield _violation("args", f"{len(args)} were given, and at most {most} are taken")
                return
            yield from parameter.validate(value, f"args[{index}]")

    def _validate_by_name(
        self, name: str, value: Any, by_position: Sequence[Parameter]
    ) -> Iterator[Violation]:
        field = f"kwargs{path_step(name)}"
        parameter = self._named.get(name, self._rest_named)
        if parameter in by_position:
            yield _violation(field, f"{name!r} is given by position too, in args")
        elif parameter is None:
            yield _violation(field, self._unexpected(name))
        else:
            yield from parameter.validate(value, field)

    def _at(self, index: int) -> Parameter | None:
        if index < len(self._positional):
            return self._positional[index]
        return self._rest_positional

    def _missing(self, parameter: Parameter) -> Violation:
        if parameter.kind is Kind.POSITIONAL_ONLY:
            return _violation("args", f"{parameter.name!r} is missing; it goes by position only")
        return _violation(f"kwargs{path_step(parameter.name)}", f"{parameter.name!r} is missing")

    def _unexpected(self, name: str) -> str:
        if any(parameter.name == name for parameter in self._positional):
            return f"{name!r} goes by position only, in args"
        names = list(self._named)
        hint = nearest(name, names) or f"; it has {', '.join(map(repr, names)) or 'none by name'}"
        return f"the task has no parameter {name!r}{hint}"


def _parameter(values: Mapping[str, Any], shared: Mapping[str, Any]) -> Parameter:
    schema = values.get("schema") or {}
    return Parameter(
        name=values["name"],
        kind=Kind(values["kind"]),
        required=values["required"],
        schema=_compiled({**schema, "$defs": shared}) if schema else None,
    )


def _compiled(schema: Mapping[str, Any]) -> Schema | None:
    try:
        return Schema(schema)
    except jsonschema_rs.ValidationError as exc:
        # A pattern of Python's own, for instance. The worker will check the value.
        logger.warning("values of %s are not checked: %s", schema, exc.message)
        return None


def _only(parameters: Sequence[Parameter], kind: Kind) -> Parameter | None:
    return next((p for p in parameters if p.kind is kind), None)


def _violation(field: str, description: str) -> Violation:
    return Violation(field, description, ViolationReason.ARGUMENTS_INVALID)
