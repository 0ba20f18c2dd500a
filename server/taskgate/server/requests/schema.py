"""JSON Schemas, and values validated against them in time that grows with their size only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any

import jsonschema_rs
from pydantic_core import from_json

from taskgate.server.errors import Violation, ViolationReason
from taskgate.server.requests.arguments import depth
from taskgate.server.requests.schema_errors import MASK, path_step, sentences_of
from taskgate.server.requests.schema_keywords import CONTENT, Scalar, Size, read_as_worker
from taskgate.server.text import fit, printable, quote
from taskgate.tasks.json_schemas import READ_AS, SIZE

MAX_ERRORS = 200
"""Of one value; a list can have a million wrong items."""

MAX_NODES = 2_000
"""Of a wrong value, that are looked at to say what is wrong: errors copy what they are about."""

MAX_ITEMS = 100
"""Of a wrong list, that are looked at together."""

MAX_BRANCHES = 100_000
"""Ways through alternatives within alternatives that validating one value may try."""


_OF_MISSING = frozenset({"required", "minItems", "minProperties", "contains"})
"""Errors that leaving something out can cause."""

_SCALARS = frozenset({"boolean", "integer", "null", "number", "string"})


class Schema:
    """A JSON Schema that values are validated against, in time that grows with their size only."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile the schema.

        Raises:
            jsonschema_rs.ValidationError: it is no schema.
        """
        # offline: a schema must not make the server fetch anything.
        self._validator = jsonschema_rs.Draft202012Validator(
            read_as_worker(schema),
            offline=True,
            mask=MASK,
            validate_formats=False,  # what pydantic takes is said in our own keywords
            keywords={READ_AS: Scalar, SIZE: Size, CONTENT: Content},
        )
        self._max_depth = _max_depth(schema)

    def errors(self, value: Any, field: str) -> Iterator[Violation]:
        """What is wrong with the value that the field brings, field by field within it."""
        if self._max_depth is not None and depth(value) > self._max_depth:
            return  # the worker, which can be ended, will see
        if self._is_valid(value):
            return
        for start, part in _parts(value):
            if part is not value and self._is_valid(part):
                continue
            sample = _Sample.of(part)
            if part is not value:
                sample.cut.add(())
            violations = list(self._violations(sample, field, start))
            if violations:
                yield from violations
                return
        sentence = f"{quote(value)} does not fit its schema"
        yield Violation(field, sentence, ViolationReason.ARGUMENTS_INVALID)

    def _is_valid(self, value: Any) -> bool:
        try:
            return self._validator.is_valid(value)
        except UnicodeEncodeError:
            return self._validator.is_valid(_in_utf8(value))

    def _violations(self, sample: _Sample, field: str, start: int) -> Iterator[Violation]:
        errors = islice(self._validator.iter_errors(_in_utf8(sample.value)), MAX_ERRORS)
        sentences: dict[str, dict[str, None]] = {}
        for path, sentence in sentences_of(
            sample.own(errors), lambda error: field + _path(error.instance_path, start)
        ):
            sentences.setdefault(path, {})[sentence] = None
        for path, found in sentences.items():
            yield Violation(path, fit("; ".join(found), 300), ViolationReason.ARGUMENTS_INVALID)


class Content:
    """The keyword that judges what is in a JSON text."""

    def __init__(self, _parent: Any, schema: dict[str, Any], _path: Any) -> None:
        self._schema = schema  # compiled when it is needed: it may lead back to where it stands
        self._compiled: Schema | None = None

    def validate(self, text: Any) -> None:
        """Raise ValueError if what the text holds does not fit."""
        if self._compiled is None:
            self._compiled = Schema(self._schema)
        try:
            value = from_json(text)
        except ValueError:
            return  # which is said elsewhere
        for violation in self._compiled.errors(value, "its content"):
            raise ValueError(f"does not fit: {violation.field}: {violation.description}")


@dataclass(slots=True)
class _Sample:
    """The beginning of a value, of a bounded number of lists, objects and what is in them."""

    value: Any = None
    room: int = MAX_NODES
    cut: set[tuple[str | int, ...]] = field(default_factory=set)
    """The paths of lists and objects of which something was left out."""

    @classmethod
    def of(cls, value: Any) -> _Sample:
        sample = cls()
        sample.value = sample._take(value, ())
        return sample

    def _take(self, value: Any, path: tuple[str | int, ...]) -> Any:
        self.room -= 1
        if isinstance(value, list):
            items = [self._take(item, (*path, n)) for n, item in self._while_room(enumerate(value))]
            self._note(path, items, value)
            return items
        if isinstance(value, dict):
            inner = {
                name: self._take(item, (*path, name))
                for name, item in self._while_room(value.items())
            }
            self._note(path, inner, value)
            return inner
        return value

    def _while_room(self, items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        return takewhile(lambda _: self.room > 0, items)

    def _note(self, path: tuple[str | int, ...], taken: Sized, value: Sized) -> None:
        if len(taken) < len(value):
            self.cut.add(path)

    def own(
        self, errors: Iterable[jsonschema_rs.ValidationError]
    ) -> Iterator[jsonschema_rs.ValidationError]:
        """The errors that are not there only because something was left out."""
        for error in errors:
            if tuple(error.instance_path) not in self.cut or error.kind.name not in _OF_MISSING:
                yield error


def _parts(value: Any) -> Iterator[tuple[int, Any]]:
    """The value; of a long list its parts, each with the index that it begins at."""
    if not isinstance(value, list) or len(value) <= MAX_ITEMS:
        yield 0, value
        return
    for start in range(0, len(value), MAX_ITEMS):
        yield start, value[start : start + MAX_ITEMS]


def _max_depth(schema: Mapping[str, Any]) -> int | None:
    """How deep a value may be to be validated; None if that does not matter.

    Where alternatives lead back to themselves, each level of a value that fits none of them
    multiplies the work by their number.
    """
    definitions = schema.get("$defs") or {}
    links = {name: set(_references(inner)) for name, inner in definitions.items()}
    if not any(name in _reachable(name, links) for name in links):
        return None
    widest = max(_alternatives(schema), default=1)
    return None if widest < 2 else int(math.log(MAX_BRANCHES, widest))


def _references(schema: Any) -> Iterator[str]:
    """The names of the definitions that a schema refers to."""
    for inner in _subschemas(schema):
        if isinstance(reference := inner.get("$ref"), str):
            yield reference.rpartition("/")[2]


def _reachable(name: str, links: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    to_visit = set(links[name])
    while to_visit:
        one = to_visit.pop()
        found.add(one)
        to_visit |= links.get(one, set()) - found
    return found


def _alternatives(schema: Any) -> Iterator[int]:
    """How many alternatives each union has that are not plain scalars."""
    for inner in _subschemas(schema):
        for keyword in ("anyOf", "oneOf", "allOf"):
            if isinstance(alternatives := inner.get(keyword), list):
                yield sum(one.get("type") not in _SCALARS for one in alternatives)


def _subschemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    to_visit = [schema]
    while to_visit:
        one = to_visit.pop()
        if isinstance(one, Mapping):
            yield one
            to_visit.extend(one.values())
        elif isinstance(one, list):
            to_visit.extend(one)


def _path(steps: Iterable[str | int], start: int) -> str:
    """A path within a value; ``start``: the index of the first item of what was looked at."""
    first, *rest = [*steps] or [""]
    if isinstance(first, int):
        first += start
    return "".join(map(path_step, [first, *rest])) if first != "" or rest else ""


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
