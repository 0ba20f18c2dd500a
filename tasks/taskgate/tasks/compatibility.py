"""Whether callers of a task type's old definition can go on as they do with the new one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_BY_POSITION = ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")
_BY_NAME = ("POSITIONAL_OR_KEYWORD", "KEYWORD_ONLY")
_NOTES = frozenset({"title", "description", "default", "examples", "deprecated"})
"""What a schema says beside what it allows."""


def breaking_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Why arguments that fitted the old definition may not fit the new one; None if they do."""
    before = {parameter["name"]: parameter for parameter in old.get("parameters", [])}
    after = {parameter["name"]: parameter for parameter in new.get("parameters", [])}
    if gone := sorted(before.keys() - after.keys()):
        return f"{', '.join(gone)} is gone"
    for name, parameter in after.items():
        if problem := _problem(before.get(name), parameter, old, new):
            return f"{name} {problem}"
    moved = _moved(before, after)
    return None if moved is None else f"{moved} has moved among the positional parameters"


def _problem(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], old: Schema, new: Schema
) -> str | None:
    if before is None:
        return "is new and required" if after["required"] else None
    if after["required"] and not before["required"]:
        return "has become required"
    if not _ways(before["kind"]) <= _ways(after["kind"]):
        return f"has become {after['kind']}"
    schemas = _whole(before["schema"], old), _whole(after["schema"], new)
    return None if is_wider(*schemas) else f"has become {json.dumps(after['schema'])}"


def _ways(kind: str) -> set[str]:
    """How a parameter of the kind can be given its value."""
    ways = {way for way, kinds in (("position", _BY_POSITION), ("name", _BY_NAME)) if kind in kinds}
    return ways or {kind}


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    positions = [name for name, parameter in after.items() if parameter["kind"] in _BY_POSITION]
    for index, name in enumerate(n for n, p in before.items() if p["kind"] in _BY_POSITION):
        if positions[index] != name:
            return name
    return None


def _whole(schema: Schema, definition: Mapping[str, Any], within: tuple[str, ...] = ()) -> Any:
    """The schema with what it refers to in its place; a reference to itself stays one."""

    def expand(value: Any) -> Any:
        match value:
            case {"$ref": str() as ref} if ref not in within:
                shared = definition.get("defs", {})[ref.rpartition("/")[2]]
                return _whole(shared, definition, (*within, ref))
            case dict():
                return {key: expand(item) for key, item in value.items() if key not in _NOTES}
            case list():
                return [expand(item) for item in value]
        return value

    return expand(schema)


def is_wider(old: Schema, new: Schema) -> bool:
    """Whether the new schema surely takes every value that the old one took."""
    if new in ({}, old):
        return True
    if "anyOf" in old:
        return all(is_wider(one, new) for one in old["anyOf"])
    if "anyOf" in new:
        return any(is_wider(old, one) for one in new["anyOf"])
    if old.get("type") == new.get("type") == "object":
        return _is_wider_object(old, new)
    if old.get("type") == new.get("type") == "array":
        return _rest(old) == _rest(new) and is_wider(old.get("items", {}), new.get("items", {}))
    return new == {"type": "number"} and old.get("type") == "integer"


def _is_wider_object(old: Schema, new: Schema) -> bool:
    if _rest(old) != _rest(new) or not set(new.get("required", ())) <= set(old.get("required", ())):
        return False
    others = new.get("additionalProperties", {})
    if others is False and old.get("additionalProperties") is not False:
        return False
    known = new.get("properties", {})
    return all(name in known or others is not False for name in old.get("properties", {})) and all(
        is_wider(schema, known[name])
        for name, schema in old.get("properties", {}).items()
        if name in known
    )


def _rest(schema: Schema) -> dict[str, Any]:
    compared = ("type", "items", "properties", "required", "additionalProperties")
    return {key: value for key, value in schema.items() if key not in compared}
