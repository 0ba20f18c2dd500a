"""Signatures of task types in a file, and which changes of them break programs that submit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from taskgate.client import ParameterKind, TaskType

Schema = Mapping[str, Any]

_NOTES = frozenset(
    {"title", "description", "default", "examples", "deprecated", "$comment", "$defs"}
)
"""What a schema says that no value is judged by."""

_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_UNDERSTOOD = frozenset(
    {"type", "enum", "const", "items", "properties", "required", "additionalProperties"}
    | {*_LEAST, *_MOST}
)

_BY_POSITION = frozenset({ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD})
_BY_NAME = frozenset({ParameterKind.POSITIONAL_OR_KEYWORD, ParameterKind.KEYWORD_ONLY})
_REST = {ParameterKind.VAR_POSITIONAL: "*args", ParameterKind.VAR_KEYWORD: "**kwargs"}


class FileInvalid(ValueError):
    """The file does not hold what ``save`` wrote."""


def save(path: Path, types: Sequence[TaskType]) -> None:
    """Write the signatures; the same ones are the same text, for a repository.

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps({"task_types": list(map(_signature, types))}, indent=2, sort_keys=True)
    path.write_text(text + "\n")


def load(path: Path) -> list[dict[str, Any]]:
    """The signatures that were saved.

    Raises:
        OSError: the file cannot be read.
        FileInvalid: it is another file.
    """
    try:
        saved: list[dict[str, Any]] = json.loads(path.read_text())["task_types"]
        for one in saved:
            _ = (
                one["name"],
                one["defs"],
                [(p["name"], p["kind"], p["schema"], p["required"]) for p in one["parameters"]],
            )
    except (ValueError, KeyError, TypeError) as exc:
        raise FileInvalid(f"{path} was not written by taskgate types --save: {exc!r}") from exc
    return saved


def breaking_changes(saved: Sequence[Mapping[str, Any]], types: Sequence[TaskType]) -> list[str]:
    """What a program that was right by the saved signatures may stumble over, a line each."""
    now = {known.name: _signature(known) for known in types}
    return [
        f"{old['name']}: {change}"
        for old in saved
        for change in (
            _of_type(old, now[old["name"]]) if old["name"] in now else ("it is not there any more",)
        )
    ]


def _signature(known: TaskType) -> dict[str, Any]:
    parameters = [
        {"name": p.name, "kind": str(p.kind), "required": p.required, "schema": p.schema}
        for p in known.parameters
    ]
    defs = known.arguments_schema.get("$defs", {})
    return {"name": known.name, "parameters": parameters, "defs": defs}


def _of_type(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = ({_key(p): p for p in signature["parameters"]} for signature in (old, new))
    for key, parameter in before.items():
        if key not in after:
            yield f"the parameter {key} was removed"
            continue
        yield from _of_parameter(key, parameter, after[key])
        if not Fit(old["defs"], new["defs"]).fits(parameter["schema"], after[key]["schema"]):
            yield f"{key} takes less than before"
    for key, parameter in after.items():
        if key not in before and parameter["required"]:
            yield f"the parameter {key} is new and required"
    yield from _of_positions(old, new)


def _key(parameter: Mapping[str, Any]) -> str:
    """What a parameter is known by; the names of ``*args`` and ``**kwargs`` matter to nobody."""
    return _REST.get(parameter["kind"]) or str(parameter["name"])


def _of_parameter(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if new["required"] and not old["required"]:
        yield f"{key} became required"
    if old["kind"] in _BY_NAME and new["kind"] not in _BY_NAME:
        yield f"{key} cannot be given by name any more"
    if old["kind"] in _BY_POSITION and new["kind"] not in _BY_POSITION:
        yield f"{key} cannot be given by position any more"


def _of_positions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = (
        [p["name"] for p in signature["parameters"] if p["kind"] in _BY_POSITION]
        for signature in (old, new)
    )
    for position, (name, other) in enumerate(zip(before, after, strict=False), 1):
        if name != other:
            yield f"argument {position} is {other}, and was {name}"
            return


class Fit:
    """Whether all that an old schema takes fits a new one; not, where that cannot be told."""

    def __init__(self, old_defs: Mapping[str, Schema], new_defs: Mapping[str, Schema]) -> None:
        self._old_defs = old_defs
        self._new_defs = new_defs
        self._assumed: set[tuple[str, str]] = set()

    def fits(self, old: Any, new: Any) -> bool:
        """Whether whatever fits ``old`` fits ``new``."""
        pair = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True))
        if pair in self._assumed:  # of types that contain themselves
            return True
        self._assumed.add(pair)
        choices = _alternatives(new, self._new_defs)
        return all(
            any(self._one_fits(one, choice) for choice in choices)
            for one in _alternatives(old, self._old_defs)
        )

    def _one_fits(self, old: Any, new: Any) -> bool:
        if new is True or old is False or not new:
            return new is not False
        if old is True or new is False:
            return False
        others = (old.keys() | new.keys()) - _UNDERSTOOD
        return (
            all(new[key] == old.get(key) for key in others & new.keys())
            and _type_fits(old, new)
            and _values_fit(old, new)
            and all(key not in new or old.get(key, -_INFINITY) >= new[key] for key in _LEAST)
            and all(key not in new or old.get(key, _INFINITY) <= new[key] for key in _MOST)
            and ("items" not in new or self.fits(old.get("items", {}), new["items"]))
            and self._members_fit(old, new)
        )

    def _members_fit(self, old: Schema, new: Schema) -> bool:
        if not set(new.get("required", ())) <= set(old.get("required", ())):
            return False
        before, after = old.get("properties", {}), new.get("properties", {})
        rest_before = old.get("additionalProperties", True)
        rest_after = new.get("additionalProperties", True)
        return all(
            self.fits(before.get(name, rest_before), after.get(name, rest_after))
            for name in before.keys() | after.keys()
        ) and self.fits(rest_before, rest_after)


_INFINITY = float("inf")


def _alternatives(schema: Any, defs: Mapping[str, Schema]) -> list[Any]:
    """The schema as alternatives that refer to nothing, each of one type."""
    if isinstance(schema, bool):
        return [schema]
    plain = {key: value for key, value in schema.items() if key not in _NOTES}
    if "$ref" in plain:
        return _alternatives(defs.get(str(plain["$ref"]).rpartition("/")[2], {"not": {}}), defs)
    for key in ("anyOf", "oneOf"):
        if key in plain:
            rest = {name: value for name, value in plain.items() if name != key}
            return [
                one if isinstance(one, bool) else {**rest, **one}
                for choice in plain[key]
                for one in _alternatives(choice, defs)
            ]
    if isinstance(plain.get("type"), list):
        return [{**plain, "type": one} for one in plain["type"]]
    return [plain]


def _type_fits(old: Schema, new: Schema) -> bool:
    wanted, given = new.get("type"), old.get("type")
    return wanted is None or wanted == given or (given, wanted) == ("integer", "number")


def _values_fit(old: Schema, new: Schema) -> bool:
    before, after = _values(old), _values(new)
    return after is None or (before is not None and all(value in after for value in before))


def _values(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")
