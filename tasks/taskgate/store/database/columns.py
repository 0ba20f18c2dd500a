"""The types of the tables' columns.

What another version of taskgate wrote can be read: unknown keys of JSON objects are ignored,
missing ones take the dataclass's defaults, and an unknown value of an enum keeps its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Float, String, Text, TypeDecorator


def storable(text: str) -> str:
    """The text with U+FFFD for what a database cannot hold: NUL and lone surrogates."""
    if "\0" not in text and text.isascii():
        return text
    return (
        text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


class _Storable(TypeDecorator[str]):
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else storable(value)


class Name(_Storable):
    """Text of bounded length, in characters; only PostgreSQL keeps the bound."""

    impl = String
    cache_ok = True


class LongText(_Storable):
    """Text of any length."""

    impl = Text
    cache_ok = True


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime: ``timestamptz`` on PostgreSQL, ISO text in UTC on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Any aware time as UTC."""
        if value is None:
            return None
        in_utc = value.astimezone(UTC)
        return in_utc if dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """An aware UTC time."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Seconds(TypeDecorator[timedelta]):
    """A duration, as seconds with a fraction."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Its seconds."""
        return None if value is None else value.total_seconds()

    def process_result_value(self, value: float | None, dialect: Dialect) -> timedelta | None:  # noqa: ARG002
        """A duration."""
        return None if value is None else timedelta(seconds=value)


class Enumeration(TypeDecorator[StrEnum]):
    """A member of an enum, as its value."""

    impl = String(16)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Its value."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """The member; see ``lifecycle.OpenEnum`` for values that none has."""
        return None if value is None else self.enum(value)


class JsonObject(TypeDecorator[Mapping[str, Any]]):
    """A mapping, as JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: Mapping[str, Any] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> str | None:
        """JSON text that is equal for equal mappings."""
        return None if value is None else json.dumps(dict(value), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002
        """A dict."""
        if value == "{}":  # most are: half the time of reading it as JSON
            return {}
        return None if value is None else json.loads(value)


def from_json(make: Callable[[Any], Any]) -> dict[str, Any]:
    """The metadata of a dataclass's field whose value is made of the JSON value by ``make``."""
    return {"from_json": make}


class JsonDataclass(TypeDecorator[Any]):
    """An instance of a dataclass, as JSON text.

    Keys that it has no field for are ignored; see ``from_json`` for values that JSON has not.
    """

    impl = Text
    cache_ok = True

    def __init__(self, dataclass: type[Any]) -> None:
        super().__init__()
        self.dataclass = dataclass

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """JSON text of its fields."""
        if value is None:
            return None
        return json.dumps({field.name: getattr(value, field.name) for field in fields(value)})

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """An instance."""
        if value is None:
            return None
        stored = json.loads(value)
        return self.dataclass(
            **{
                field.name: field.metadata.get("from_json", _same)(stored[field.name])
                for field in fields(self.dataclass)
                if field.name in stored
            }
        )


def _same(value: Any) -> Any:
    return value
