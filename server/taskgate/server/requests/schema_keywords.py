"""The keywords of our own in task types' schemas: pydantic reads the value, as the worker will."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, SchemaValidator

from taskgate.tasks.json_schemas import BOUNDS, KNOWN, READ_AS

CONTENT = "x-json-content"
"""The keyword with the schema of what is in a JSON text."""

NOUNS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

OF_TYPE = "type: "
"""Begins what a keyword says of a value that is something else altogether."""

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


_READ = {
    "int": NOUNS["integer"],
    "float": NOUNS["number"],
    "bool": NOUNS["boolean"],
    "str": NOUNS["string"],
    "bytes": NOUNS["string"],
    "complex": "a number such as 1+2j",
    "date": "a date such as 2026-11-22",
    "datetime": "a date and time such as 2026-11-22T10:30:00Z",
    "decimal": "a decimal number",
    "json": "JSON text",
    "time": "a time of day such as 10:30:00",
    "timedelta": "a duration such as PT1H30M",
    "url": "a URL",
    "uuid": "a UUID",
}
"""What pydantic-core's types are, for people."""

_KNOWN_NOUNS = {
    "Base64Bytes": "a text in Base64",
    "Base64Str": "a text in Base64",
    "Base64UrlBytes": "a text in URL-safe Base64",
    "Base64UrlStr": "a text in URL-safe Base64",
    "ByteSize": "a number of bytes such as 10MB",
    "Fraction": "a fraction such as 3/4",
    "Hashable": "a single value",
    "IPv4Address": "an IPv4 address",
    "IPv4Interface": "an IPv4 address with a mask",
    "IPv4Network": "an IPv4 network",
    "IPv6Address": "an IPv6 address",
    "IPv6Interface": "an IPv6 address with a mask",
    "IPv6Network": "an IPv6 network",
    "IPvAnyAddress": "an IP address",
    "IPvAnyInterface": "an IP address with a mask",
    "IPvAnyNetwork": "an IP network",
    "Pattern": "a regular expression",
}

_BOUNDED_BY: Mapping[str, Any] = {
    "date": date,
    "datetime": datetime,
    "decimal": Decimal,
    "time": time,
    "timedelta": timedelta,
}
"""What bounds are in pydantic-core's schemas that are texts in ours."""

MAX_PATTERN = 4_096
"""Characters of a regular expression: a longer one takes seconds to compile."""


class Scalar:
    """The keyword that has a value read by pydantic, as the worker will read it."""

    def __init__(self, _parent: Any, core: dict[str, Any], _path: Any) -> None:
        """``core``: see ``READ_AS``."""
        self._values: list[Any] | None = None
        self._is_pattern = False
        match core["type"]:
            case "known":
                self._noun = _KNOWN_NOUNS[core["name"]]
                self._is_pattern = core["name"] == "Pattern"
                config = ConfigDict(strict=core.get("strict", False))
                adapter: Any = TypeAdapter(KNOWN[core["name"]], config=config)
                self._read = adapter.validate_python
            case "enum":
                self._values = core["values"]
                self._noun = f"one of {', '.join(map(str, self._values))}"
                self._read = _reader({"type": core["of"]})
            case of:
                self._noun = _READ.get(of, of)
                self._read = _reader(core)

    def validate(self, value: Any) -> None:
        """Raise ValueError if pydantic would not take the value."""
        if self._is_pattern and isinstance(value, str) and len(value) > MAX_PATTERN:
            return  # the worker will see
        try:
            found = self._read(value)
        except ValidationError as exc:
            raise ValueError(_sentence(exc, self._noun)) from exc
        if self._values is not None and found not in self._values:
            raise ValueError(f"{OF_TYPE}{self._noun}")


class Size:
    """The keyword that counts the different items of a set, as pydantic counts them."""

    def __init__(self, _parent: Any, core: dict[str, Any], _path: Any) -> None:
        self._read = _reader(core)

    def validate(self, value: Any) -> None:
        """Raise ValueError if there are too many or too few; the rest is said elsewhere."""
        try:
            self._read(value)
        except ValidationError as exc:
            for problem in exc.errors(include_url=False, include_input=False):
                if words := _SIZES.get(problem["type"]):
                    raise ValueError(words.format(**problem["ctx"])) from exc


_SIZES = {
    "too_long": "has more than {max_length} different items",
    "too_short": "has less than {min_length} different items",
}


def _reader(core: Any) -> Any:
    validator = SchemaValidator(cast("CoreSchema", _with_bounds(core)))
    return validator.validate_python


def _with_bounds(core: Any) -> Any:
    """The core schema with its bounds of the types that pydantic-core wants."""
    if isinstance(core, list):
        return [_with_bounds(one) for one in core]
    if not isinstance(core, dict):
        return core
    of = _BOUNDED_BY.get(core.get("type", ""))
    return {
        name: TypeAdapter(of).validate_python(value)
        if of is not None and name in BOUNDS and isinstance(value, str)
        else _with_bounds(value)
        for name, value in core.items()
    }


def _sentence(error: ValidationError, noun: str) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    words = _CONSTRAINTS.get(problem["type"])
    if words is None or problem["loc"]:
        return f"{OF_TYPE}{noun}"
    return words.format(**{name: _plain(bound) for name, bound in problem["ctx"].items()})


def _plain(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


def read_as_worker(schema: Any, definitions: Any = None) -> Any:
    """The schema with pydantic's word in place of JSON Schema's, where it has one."""
    if isinstance(schema, list):
        return [read_as_worker(inner, definitions) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    definitions = schema.get("$defs", definitions)
    if READ_AS not in schema:
        return {name: read_as_worker(inner, definitions) for name, inner in schema.items()}
    read: dict[str, Any] = {READ_AS: schema[READ_AS]}
    if schema[READ_AS] == {"type": "json"} and schema.get("contentSchema"):
        read[CONTENT] = {**schema["contentSchema"], "$defs": definitions or {}}
    return read
