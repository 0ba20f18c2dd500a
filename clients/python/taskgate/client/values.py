"""Python values and the protobuf messages that carry them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

_EXACT = 2**53
"""Doubles carry every integer up to here."""


def arguments_json(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Task arguments as JSON text, which carries every number exactly.

    Raises:
        TypeError: a value has no JSON form.
        ValueError: a number is not finite, or a value contains itself.
    """
    return json.dumps({"args": list(args), "kwargs": dict(kwargs)}, allow_nan=False)


def from_value(value: Value) -> Any:
    """The Python value of a protobuf Value; whole numbers as int."""
    match value.WhichOneof("kind"):
        case "number_value":
            return _number(value.number_value)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return from_list(value.list_value)
        case _:
            return None


def from_list(values: ListValue) -> list[Any]:
    """The Python list of a protobuf ListValue."""
    return [from_value(value) for value in values.values]


def from_struct(struct: Struct) -> dict[str, Any]:
    """The Python dict of a protobuf Struct."""
    return {name: from_value(value) for name, value in struct.fields.items()}


def _number(number: float) -> int | float:
    whole = number.is_integer() and abs(number) <= _EXACT
    return int(number) if whole else number


def to_duration(seconds: float | None) -> Duration | None:
    """Seconds as a Duration."""
    if seconds is None:
        return None
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration


def from_duration(duration: Duration) -> float:
    """A Duration in seconds."""
    return duration.ToTimedelta().total_seconds()


def to_timestamp(time: datetime | None) -> Timestamp | None:
    """An aware datetime as a Timestamp."""
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


def from_timestamp(timestamp: Timestamp) -> datetime:
    """A Timestamp as a datetime in UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)
