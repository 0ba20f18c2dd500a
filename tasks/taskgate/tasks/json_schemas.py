"""JSON Schemas of pydantic's types, by which a server judges values as the worker will.

JSON Schema has no words for much of what pydantic takes: "5" for an int, 2130706433 for an IPv4
address, seconds for a timedelta. So a schema says in a keyword of its own how pydantic reads the
value, and the server has pydantic read it. What is only a user's code's to say (a validator that
runs before, an enum's ``_missing_``) is left open: the worker will see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from enum import Enum, Flag
from fractions import Fraction
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Any, cast

from pydantic import (
    Base64Bytes,
    Base64Str,
    Base64UrlBytes,
    Base64UrlStr,
    ByteSize,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    TypeAdapter,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

READ_AS = "x-pydantic"
"""The keyword with how pydantic reads the value: a schema of pydantic-core's; or of the types
``known`` (by a name of ``KNOWN``) or ``enum`` (what its values are read as, and the values)."""

SIZE = "x-pydantic-size"
"""The keyword with pydantic-core's schema of a set, whose size counts different items only."""

KNOWN: dict[str, Any] = {
    "Base64Bytes": Base64Bytes,
    "Base64Str": Base64Str,
    "Base64UrlBytes": Base64UrlBytes,
    "Base64UrlStr": Base64UrlStr,
    "ByteSize": ByteSize,
    "Fraction": Fraction,
    "Hashable": Hashable,
    "IPv4Address": IPv4Address,
    "IPv4Interface": IPv4Interface,
    "IPv4Network": IPv4Network,
    "IPv6Address": IPv6Address,
    "IPv6Interface": IPv6Interface,
    "IPv6Network": IPv6Network,
    "IPvAnyAddress": IPvAnyAddress,
    "IPvAnyInterface": IPvAnyInterface,
    "IPvAnyNetwork": IPvAnyNetwork,
    "Pattern": re.Pattern,
}
"""Types that pydantic reads by functions, by the names that workers and servers have for them."""

BOUNDS = ("gt", "ge", "lt", "le", "multiple_of")
"""Of a scalar's schema; written as texts where JSON has no such type."""

_SCALARS = (
    *("int", "float", "bool", "decimal", "date", "datetime", "time", "timedelta", "uuid"),
    *("bytes", "complex", "str"),
)

_NOTES = frozenset({"metadata", "ref", "serialization"})
"""What a core schema says that does not matter to validation."""

_PLAIN = (str, int, float, bool, type(None))
_JSON_SCHEMAS_OWN = frozenset({"type", "min_length", "max_length", "pattern", "regex_engine"})
"""What JSON Schema can say of texts."""

_MISSING = cast("Any", Enum)._missing_.__func__

_NOTHING: JsonSchemaValue = {"not": {}}
_ANYTHING: JsonSchemaValue = {}


class Schemas(GenerateJsonSchema):
    """Pydantic's JSON Schemas, with our keywords."""

    _within_json = False

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """Also how pydantic reads what it reads by functions of its own."""
        made = super().generate_inner(schema)
        if "$ref" in made:
            return made
        if (name := _name_of(schema)) is not None:
            made[READ_AS] = {"type": "known", "name": name}
            if self._is_strict(schema):
                made[READ_AS]["strict"] = True
        elif (url := _url_in(schema)) is not None:
            made[READ_AS] = url
        return made

    def dict_schema(self, schema: Any) -> JsonSchemaValue:
        """Also what the keys must be."""
        made = super().dict_schema(schema)
        keys = schema.get("keys_schema")
        if keys is not None and keys["type"] in _SCALARS:
            made["propertyNames"] = self.generate_inner(keys)
        return made

    def set_schema(self, schema: Any) -> JsonSchemaValue:
        """Repeated items are taken as one."""
        return self._of_set(super().set_schema(schema), schema)

    def frozenset_schema(self, schema: Any) -> JsonSchemaValue:
        """Repeated items are taken as one."""
        return self._of_set(super().frozenset_schema(schema), schema)

    def _of_set(self, made: JsonSchemaValue, schema: Any) -> JsonSchemaValue:
        if self._is_strict(schema):
            return _NOTHING
        made.pop("uniqueItems", None)
        if schema.get("min_length") is not None or schema.get("max_length") is not None:
            made.pop("maxItems", None)
            if (core := _portable(schema)) is not None:
                made.pop("minItems", None)
                made[SIZE] = core
        return made

    def tuple_schema(self, schema: Any) -> JsonSchemaValue:
        """A strict one takes no list, and JSON has no tuples."""
        return _NOTHING if self._is_strict(schema) else super().tuple_schema(schema)

    def dataclass_schema(self, schema: Any) -> JsonSchemaValue:
        """A strict one takes instances only."""
        strict = schema.get("strict") or (schema.get("config") or {}).get("strict")
        made = super().dataclass_schema(schema)
        return _NOTHING if strict and not self._within_json else made

    def enum_schema(self, schema: Any) -> JsonSchemaValue:
        """Numbers are read as numbers are; flags and ``_missing_`` can take anything."""
        made = super().enum_schema(schema)
        if self._is_strict(schema):
            return _NOTHING
        cls: Any = schema["cls"]
        if issubclass(cls, Flag) or cls._missing_.__func__ is not _MISSING:
            return {name: made[name] for name in ("title", "description") if name in made}
        if any(isinstance(value, int | float) for value in made["enum"]):  # True is 1
            of = schema.get("sub_type", "any")
            made[READ_AS] = {"type": "enum", "of": of, "values": made["enum"]}
        return made

    def generator_schema(self, schema: Any) -> JsonSchemaValue:
        """Anything that can be iterated: its items are looked at when the task takes them."""
        super().generator_schema(schema)
        return {"type": ["array", "object", "string"]}

    def named_tuple_schema(self, schema: Any) -> JsonSchemaValue:
        """A list of its fields, or an object with their names."""
        made = super().named_tuple_schema(schema)
        fields = [field["name"] for field in schema["fields"]]
        items = made.get("prefixItems", [])
        by_name = {
            "type": "object",
            "properties": dict(zip(fields, items, strict=True)),
            "required": fields[: made.get("minItems", 0)],
            "additionalProperties": False,
        }
        return {"anyOf": [made, by_name]}

    def call_schema(self, schema: Any) -> JsonSchemaValue:
        """A named tuple, as pydantic before 2.14 says it."""
        super().call_schema(schema)
        return {"type": ["array", "object"]}

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        """Also the fields' own names, where they may be given by these too."""
        made = super().model_schema(schema)
        config = schema["cls"].model_config
        by_name = config.get("populate_by_name") or config.get("validate_by_name")
        fields = schema["cls"].model_fields
        for name, alias in ((name, field.validation_alias) for name, field in fields.items()):
            if alias is not None and (by_name or not isinstance(alias, str)):
                _allow_names(made, name, alias)
        return made

    def function_before_schema(self, schema: Any) -> JsonSchemaValue:
        """What a user's function makes of a value before it is read, only the worker can say."""
        return self._after_users_function(super().function_before_schema(schema), schema)

    def function_wrap_schema(self, schema: Any) -> JsonSchemaValue:
        """As ``function_before_schema``."""
        return self._after_users_function(super().function_wrap_schema(schema), schema)

    def _after_users_function(self, made: JsonSchemaValue, schema: Any) -> JsonSchemaValue:
        function = schema["function"]["function"]
        module = getattr(getattr(function, "func", function), "__module__", None) or ""
        is_pydantics = module.partition(".")[0] == "pydantic"
        return made if is_pydantics or "json_schema_input_schema" in schema else _ANYTHING

    def json_schema(self, schema: Any) -> JsonSchemaValue:
        """A text that is JSON; of what is in it strict types take what JSON has for them."""
        was, self._within_json = self._within_json, True
        try:
            made = super().json_schema(schema)
        finally:
            self._within_json = was
        return {**made, READ_AS: _portable(schema) or {"type": "json"}}

    def _is_strict(self, schema: Any) -> bool:
        if self._within_json:
            return False
        strict = schema.get("strict")
        return bool(self._config.strict if strict is None else strict)

    def of_scalar(self, made: JsonSchemaValue, schema: Any) -> JsonSchemaValue:
        """The schema of a scalar with how it is read."""
        core = {name: _bound(name, value) for name, value in schema.items() if name not in _NOTES}
        if core["type"] == "str":
            core |= {name: True for name in _TEXT_OPTIONS if getattr(self._config, f"str_{name}")}
            if self._config.coerce_numbers_to_str:
                core.setdefault("coerce_numbers_to_str", True)
            if core.keys() <= _JSON_SCHEMAS_OWN | {"strict"}:
                return made
        elif self._is_strict(schema):
            core["strict"] = True
        if _portable(core) is not None:
            made[READ_AS] = core
        return made


_TEXT_OPTIONS = ("strip_whitespace", "to_lower", "to_upper")


def _annotated(name: str) -> Callable[[Schemas, Any], JsonSchemaValue]:
    generate = getattr(GenerateJsonSchema, f"{name}_schema")

    def schema_of(self: Schemas, schema: Any) -> JsonSchemaValue:
        return self.of_scalar(generate(self, schema), schema)

    return schema_of


for _name in _SCALARS:
    setattr(Schemas, f"{_name}_schema", _annotated(_name))


def _bound(name: str, value: Any) -> Any:
    return value if name not in BOUNDS or isinstance(value, _PLAIN) else str(_iso(value))


def _iso(value: Any) -> Any:
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def _portable(schema: Any) -> Any:
    """The core schema without its notes, if it is of JSON's own types; else None."""
    found = _without_notes(schema)
    return found if _is_portable(found) else None


def _is_portable(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("type") not in ("definitions", "definition-ref") and all(
            map(_is_portable, value.values())
        )
    return all(map(_is_portable, value)) if isinstance(value, list) else isinstance(value, _PLAIN)


def _without_notes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_notes(item) for name, item in value.items() if name not in _NOTES}
    return [_without_notes(item) for item in value] if isinstance(value, list) else value


_known_cores = {
    name: _without_notes(TypeAdapter(known).core_schema) for name, known in KNOWN.items()
}
_known_types = {core["type"] for core in _known_cores.values()}


def _name_of(schema: Any) -> str | None:
    """Which of the known types the core schema is of."""
    if schema["type"] not in _known_types:
        return None
    core = _without_notes(schema)
    return next((name for name, known in _known_cores.items() if known == core), None)


def _url_in(schema: Any) -> Any:
    """The core schema of a URL, in what pydantic wraps around it."""
    inner = schema.get("schema") or {}
    is_url = schema["type"] == "function-wrap" and inner.get("type") in ("url", "multi-host-url")
    return _portable(inner) if is_url else None


def _allow_names(made: JsonSchemaValue, name: str, alias: Any) -> None:
    """Let a field be given by its name as well as by its alias."""
    if not isinstance(alias, str):  # several aliases, or paths: JSON Schema has no words for it
        made.pop("required", None)
        made.pop("additionalProperties", None)
        return
    properties = made.get("properties", {})
    if alias in properties:
        properties[name] = properties[alias]
    if alias in made.get("required", ()):
        made["required"] = [one for one in made["required"] if one != alias]
        either = {"anyOf": [{"required": [alias]}, {"required": [name]}]}
        made.setdefault("allOf", []).append(either)
