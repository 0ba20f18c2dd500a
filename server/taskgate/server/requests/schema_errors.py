"""What a JSON Schema finds wrong with a value, as sentences; which texts fit a schema's formats.

What a ``format`` asks of a text is what pydantic, which reads it in the worker, takes: a server
must not refuse what its workers could read, nor take what they could not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any, cast
from uuid import UUID

import jsonschema_rs
from pydantic import AnyUrl, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, SchemaValidator

from taskgate.server.text import quote
from taskgate.tasks.signature import READ_AS

PathOf = Callable[[jsonschema_rs.ValidationError], str]
"""The path of the field that an error is about."""

_OF_TYPE = "type: "
"""Begins what ``Scalar`` says of a value that is something else altogether."""

_CONSTRAINTS = {
    "greater_than": "is less than or equal to the minimum of {gt}",
    "greater_than_equal": "is less than the minimum of {ge}",
    "less_than": "is greater than or equal to the maximum of {lt}",
    "less_than_equal": "is greater than the maximum of {le}",
    "multiple_of": "is not a multiple of {multiple_of}",
    "decimal_max_digits": "has more than {max_digits} digits",
    "decimal_max_places": "has more than {decimal_places} decimal places",
    "decimal_whole_digits": "has more than {whole_digits} digits before the point",
}
"""By pydantic's names of errors."""

MAX_PATTERN = 4_096
"""Characters of a regular expression: a longer one takes seconds to compile."""

MASK = "\0"
"""Stands for the value in the validator's own messages, which quote all of it."""

_NOUNS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is checked."""

    noun: str
    """What a text of it is, for people."""
    fits: Callable[[str], bool]


def _read_as(type_: Any) -> Callable[[str], bool]:
    adapter: TypeAdapter[Any] = TypeAdapter(type_)

    def fits(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return fits


def _is_pattern(text: str) -> bool:
    if len(text) > MAX_PATTERN:
        return True  # the worker will see
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


FORMATS: Mapping[str, Format] = {
    "date": Format("a date such as 2026-11-22", _read_as(date)),
    "date-time": Format("a date and time such as 2026-11-22T10:30:00Z", _read_as(datetime)),
    "decimal": Format("a decimal number", _read_as(Decimal)),
    "duration": Format("a duration such as PT1H30M", _read_as(timedelta)),
    "ipv4": Format("an IPv4 address", _read_as(IPv4Address)),
    "ipv6": Format("an IPv6 address", _read_as(IPv6Address)),
    "regex": Format("a regular expression", _is_pattern),
    "time": Format("a time of day such as 10:30:00", _read_as(time)),
    "uri": Format("a URL", _read_as(AnyUrl)),
    "uuid": Format("a UUID", _read_as(UUID)),
}

_UNCHECKED = (
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "iri",
    "iri-reference",
    "json-pointer",
    "relative-json-pointer",
    "uri-reference",
    "uri-template",
)
"""Formats that jsonschema-rs would check by rules that may be narrower than the worker's."""

_SCALAR_NOUNS = {
    "int": _NOUNS["integer"],
    "float": _NOUNS["number"],
    "bool": _NOUNS["boolean"],
    "datetime": FORMATS["date-time"].noun,
    "timedelta": FORMATS["duration"].noun,
    "json": "JSON text",
    **{name: FORMATS[name].noun for name in ("date", "decimal", "time", "uuid")},
}

CHECKS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(_UNCHECKED, lambda _: True),
    **{name: known.fits for name, known in FORMATS.items()},
}
"""For jsonschema-rs."""


def path_step(part: str | int) -> str:
    """A step of a field's path: ``[0]`` or ``.name``."""
    return f"[{part}]" if isinstance(part, int) else f".{part}"


class Scalar:
    """The keyword that has a scalar read by pydantic, as the worker will read it."""

    def __init__(self, _parent: Any, core: dict[str, Any], _path: Any) -> None:
        """``core``: a schema of pydantic-core's."""
        self._noun = _SCALAR_NOUNS.get(core["type"], core["type"])
        self._read = SchemaValidator(cast("CoreSchema", core)).validate_python

    def validate(self, value: Any) -> None:
        """Raise ValueError if pydantic would not take the value."""
        try:
            self._read(value)
        except ValidationError as exc:
            raise ValueError(self._sentence(exc)) from exc

    def _sentence(self, error: ValidationError) -> str:
        [problem] = error.errors(include_url=False, include_input=False)
        words = _CONSTRAINTS.get(problem["type"])
        if words is None:
            return f"{_OF_TYPE}{self._noun}"
        return words.format(**{name: _plain(bound) for name, bound in problem["ctx"].items()})


def _plain(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def read_as_worker(schema: Any) -> Any:
    """The schema with pydantic's word in place of JSON Schema's, where it has one."""
    if isinstance(schema, Mapping):
        if READ_AS in schema:
            return {READ_AS: schema[READ_AS]}
        return {name: read_as_worker(inner) for name, inner in schema.items()}
    return [read_as_worker(inner) for inner in schema] if isinstance(schema, list) else schema


def sentences_of(
    errors: Iterable[jsonschema_rs.ValidationError], path_of: PathOf
) -> Iterator[tuple[str, str]]:
    """Each wrong field's path, and what is wrong there."""
    for error in errors:
        path = path_of(error)
        match error.kind.as_dict():
            case {"property": name} if error.kind.name == "required":
                yield path + path_step(name), "it is missing"
            case {"unexpected": names}:
                yield from ((path + path_step(name), "it is not expected") for name in names)
            case {"keyword": "x-pydantic", "message": message}:
                yield path, f"{quote(error.instance)} {_scalar_predicate(message)}"
            case {"context": alternatives} if error.kind.name in ("anyOf", "oneOf"):
                yield from _union_sentences(error, alternatives, path_of)
            case values:
                yield path, f"{quote(error.instance)} {_predicate(error, values)}"


def _union_sentences(
    error: jsonschema_rs.ValidationError,
    alternatives: list[list[jsonschema_rs.ValidationError]],
    path_of: PathOf,
) -> Iterator[tuple[str, str]]:
    """What is wrong by the one alternative that was meant; else that none of them fits."""
    meant = [errors for errors in alternatives if not _is_of_another_type(error, errors)]
    if len(meant) == 1:
        yield from sentences_of(meant[0], path_of)
        return
    nouns = dict.fromkeys(noun for errors in alternatives for noun in _nouns(error, errors))
    if _NOUNS["number"] in nouns:
        nouns.pop(_NOUNS["integer"], None)
    if not nouns or len(meant) > 1:
        yield path_of(error), f"{quote(error.instance)} fits none of its alternatives"
        return
    no, nor = ("neither", " nor ") if len(nouns) > 1 else ("not", "")
    yield path_of(error), f"{quote(error.instance)} is {no} {nor.join(nouns)}"


def _is_of_another_type(
    outer: jsonschema_rs.ValidationError, errors: list[jsonschema_rs.ValidationError]
) -> bool:
    here = outer.instance_path
    return any(_wanted_types(e) and e.instance_path == here for e in errors)


def _nouns(
    outer: jsonschema_rs.ValidationError, errors: list[jsonschema_rs.ValidationError]
) -> Iterator[str]:
    for error in errors:
        if error.instance_path == outer.instance_path:
            yield from _wanted_types(error)


def _wanted_types(error: jsonschema_rs.ValidationError) -> list[str]:
    """What the value should be, in words, if the error is that it is something else."""
    match error.kind.as_dict():
        case {"types": names}:
            return [_NOUNS.get(name, name) for name in names]
        case {"keyword": "x-pydantic", "message": message} if message.startswith(_OF_TYPE):
            return [message.removeprefix(_OF_TYPE)]
    return []


def _scalar_predicate(message: str) -> str:
    if message.startswith(_OF_TYPE):
        return f"is not {message.removeprefix(_OF_TYPE)}"
    return message


def _predicate(error: jsonschema_rs.ValidationError, values: Mapping[str, Any]) -> str:
    """The sentence's part behind the value."""
    match error.kind.name, values:
        case "type", {"types": names}:
            return f"is not {' or '.join(_NOUNS.get(name, name) for name in names)}"
        case "format", {"format": name} if name in FORMATS:
            return f"is not {FORMATS[name].noun}"
        case "enum", {"options": options}:
            return f"is not one of {', '.join(map(quote, options))}"
        case "const", {"expected_value": expected}:
            return f"is not {quote(expected)}"
    return error.message.removeprefix(MASK).strip()
