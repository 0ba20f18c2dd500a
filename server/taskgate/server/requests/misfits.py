"""What a JSON Schema finds wrong with a value: one sentence for each wrong field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import jsonschema_rs

from taskgate.server.api.errors import Flaw, Violation
from taskgate.server.requests.formats import CHECKS, FORMATS
from taskgate.server.requests.text import fit, printable, quote

MOST_ERRORS = 200
"""Of one value; a list can have a million wrong items."""

_MASK = "\0"
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


def compiled(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """A validator of the schema.

    Raises:
        jsonschema_rs.ValidationError: it is no schema.
    """
    # offline: a schema must not make the server fetch anything.
    return jsonschema_rs.Draft202012Validator(
        dict(schema), offline=True, mask=_MASK, validate_formats=True, formats=CHECKS
    )


def misfits(validator: jsonschema_rs.Validator, value: Any, field: str) -> Iterator[Violation]:
    """What is wrong with the value that the field brings, field by field within it."""
    sentences: dict[str, dict[str, None]] = {}
    errors = islice(validator.iter_errors(_in_utf8(value)), MOST_ERRORS)
    for path, sentence in _told(errors, field):
        sentences.setdefault(path, {})[sentence] = None
    for path, found in sentences.items():
        yield Violation(path, fit("; ".join(found), 300), Flaw.ARGUMENTS_INVALID)


def step(part: str | int) -> str:
    """A step of a field's path: ``[0]`` or ``.name``."""
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def _told(errors: Iterable[jsonschema_rs.ValidationError], field: str) -> Iterator[tuple[str, str]]:
    for error in errors:
        path = field + "".join(map(step, error.instance_path))
        match error.kind.as_dict():
            case {"property": name} if error.kind.name == "required":
                yield path + step(name), "it is missing"
            case {"unexpected": names}:
                yield from ((path + step(name), "it is not expected") for name in names)
            case {"context": alternatives} if error.kind.name in ("anyOf", "oneOf"):
                yield from _told_of_alternatives(error, alternatives, path, field)
            case values:
                yield path, f"{quote(error.instance)} {_predicate(error, values)}"


def _told_of_alternatives(
    error: jsonschema_rs.ValidationError,
    alternatives: list[list[jsonschema_rs.ValidationError]],
    path: str,
    field: str,
) -> Iterator[tuple[str, str]]:
    """What is wrong by the one alternative that was meant; else that none of them fits."""
    meant = [errors for errors in alternatives if not _is_of_another_type(error, errors)]
    if len(meant) == 1:
        yield from _told(meant[0], field)
        return
    nouns = dict.fromkeys(noun for errors in alternatives for noun in _nouns(error, errors))
    if _NOUNS["number"] in nouns:
        nouns.pop(_NOUNS["integer"], None)
    if not nouns or len(meant) > 1:
        yield path, f"{quote(error.instance)} fits none of its alternatives"
        return
    no, nor = ("neither", " nor ") if len(nouns) > 1 else ("not", "")
    yield path, f"{quote(error.instance)} is {no} {nor.join(nouns)}"


def _is_of_another_type(
    outer: jsonschema_rs.ValidationError, errors: list[jsonschema_rs.ValidationError]
) -> bool:
    here = outer.instance_path
    return any(e.kind.name == "type" and e.instance_path == here for e in errors)


def _nouns(
    outer: jsonschema_rs.ValidationError, errors: list[jsonschema_rs.ValidationError]
) -> Iterator[str]:
    for error in errors:
        if error.kind.name == "type" and error.instance_path == outer.instance_path:
            yield from (_NOUNS.get(name, name) for name in error.kind.as_dict()["types"])


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
    return error.message.removeprefix(_MASK).strip()


def _in_utf8(value: Any) -> Any:
    """The value as the validator can read it: it takes no lone surrogates."""
    match value:
        case str():
            return printable(value)
        case list():
            return [_in_utf8(item) for item in value]
        case dict():
            return {printable(name): _in_utf8(item) for name, item in value.items()}
    return value
