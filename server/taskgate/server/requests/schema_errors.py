"""What a JSON Schema finds wrong with a value, as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from taskgate.server.requests.schema_keywords import CONTENT, NOUNS, OF_TYPE
from taskgate.server.text import quote
from taskgate.tasks.json_schemas import READ_AS, SIZE

PathOf = Callable[[jsonschema_rs.ValidationError], str]
"""The path of the field that an error is about."""

_OURS = frozenset({READ_AS, SIZE, CONTENT})
"""Keywords whose messages follow the value."""

MASK = "\0"
"""Stands for the value in the validator's own messages, which quote all of it."""


def path_step(part: str | int) -> str:
    """A step of a field's path: ``[0]`` or ``.name``."""
    return f"[{part}]" if isinstance(part, int) else f".{part}"


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
            case {"keyword": keyword, "message": message} if keyword in _OURS:
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
    if NOUNS["number"] in nouns:
        nouns.pop(NOUNS["integer"], None)
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
            return [NOUNS.get(name, name) for name in names]
        case {"keyword": _, "message": message} if message.startswith(OF_TYPE):
            return [message.removeprefix(OF_TYPE)]
    return []


def _scalar_predicate(message: str) -> str:
    if message.startswith(OF_TYPE):
        return f"is not {message.removeprefix(OF_TYPE)}"
    return message


def _predicate(error: jsonschema_rs.ValidationError, values: Mapping[str, Any]) -> str:
    """The sentence's part behind the value."""
    match error.kind.name, values:
        case "type", {"types": names}:
            return f"is not {' or '.join(NOUNS.get(name, name) for name in names)}"
        case "enum", {"options": options}:
            return f"is not one of {', '.join(map(quote, options))}"
        case "const", {"expected_value": expected}:
            return f"is not {quote(expected)}"
    return error.message.removeprefix(MASK).strip()
