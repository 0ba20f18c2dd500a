"""JSON values in protobuf's Struct, ListValue and Value, as far as these carry them; times."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

MAX_EXACT_INTEGER = 2**53
"""Up to here, and down to its negative, a double holds every integer."""

MAX_DEPTH = 25
"""An object within another costs three of the 100 messages that protobuf's parsers nest."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Inexact(ValueError):
    """Protobuf's values would change the value."""


class NotAValue(ValueError):
    """A protobuf Value stands for no JSON value; the message says why."""


def from_list(message: ListValue) -> list[Any]:
    """The list that the message stands for.

    Raises:
        NotAValue: it holds NaN, an infinity or a Value without a kind.
    """
    return [from_value(value) for value in message.values]


def from_struct(message: Struct) -> dict[str, Any]:
    """The object that the message stands for.

    Raises:
        NotAValue: it holds NaN, an infinity or a Value without a kind.
    """
    return {name: from_value(value) for name, value in message.fields.items()}


def from_value(message: Value) -> Any:
    """The value that the message stands for; whole numbers within ±2^53 become int.

    Raises:
        NotAValue: it is or holds NaN, an infinity or a Value without a kind.
    """
    match message.WhichOneof("kind"):
        case "null_value":
            return None
        case "bool_value":
            return message.bool_value
        case "number_value":
            return _number(message.number_value)
        case "string_value":
            return message.string_value
        case "list_value":
            return from_list(message.list_value)
        case "struct_value":
            return from_struct(message.struct_value)
    raise NotAValue("a Value has no kind")


def to_list(items: list[Any]) -> ListValue:
    """The message that stands for the list.

    Raises:
        Inexact: it would change something.
    """
    message = ListValue()
    fill_list(message, items)
    return message


def to_struct(fields: Mapping[str, Any]) -> Struct:
    """The message that stands for the object.

    Raises:
        Inexact: it would change something.
    """
    message = Struct()
    fill_struct(message, fields)
    return message


def to_value(value: Any) -> Value:
    """The message that stands for the value.

    Raises:
        Inexact: it would change something.
    """
    message = Value()
    fill_value(message, value)
    return message


def fill_list(message: ListValue, items: list[Any]) -> None:
    """Have an empty message, which may be part of another, stand for the list.

    Raises:
        Inexact: it would change something; the message is to be cleared.
    """
    message.SetInParent()
    _fill_list(message, items, 1)


def fill_struct(message: Struct, fields: Mapping[str, Any]) -> None:
    """As ``fill_list``, for an object.

    Raises:
        Inexact: it would change something; the message is to be cleared.
    """
    message.SetInParent()
    _fill_struct(message, fields, 1)


def fill_value(message: Value, value: Any) -> None:
    """As ``fill_list``, for any value.

    Raises:
        Inexact: it would change something; the message is to be cleared.
    """
    message.SetInParent()
    _fill(message, value, 0)


def timestamp(time: datetime | None) -> Timestamp | None:
    """The time as a message; None stays None."""
    if time is None:
        return None
    since = time - _EPOCH  # a quarter of the time that FromDatetime takes
    seconds = since.days * 86_400 + since.seconds
    return Timestamp(seconds=seconds, nanos=since.microseconds * 1_000)


def duration(length: timedelta | None) -> Duration | None:
    """The length of time as a message; None stays None."""
    if length is None:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message


def _number(number: float) -> int | float:
    if not math.isfinite(number):
        raise NotAValue(f"{json.dumps(number)} is not JSON")
    is_negative_zero = number == 0 and math.copysign(1, number) < 0
    if number.is_integer() and abs(number) <= MAX_EXACT_INTEGER and not is_negative_zero:
        return int(number)
    return number


def _fill(message: Value, value: Any, depth: int) -> None:
    # By their types, the frequent ones first: to match patterns takes twice as long.
    kind = type(value)
    if kind is str:
        message.string_value = _exact_text(value)
    elif kind is int:
        message.number_value = _exact_integer(value)
    elif kind is float:
        message.number_value = _exact_float(value)
    elif kind is bool:
        message.bool_value = value
    elif value is None:
        message.null_value = 0  # type: ignore[assignment]  # NULL_VALUE
    elif kind is list:
        message.list_value.SetInParent()
        _fill_list(message.list_value, value, depth + 1)
    else:
        message.struct_value.SetInParent()
        _fill_struct(message.struct_value, value, depth + 1)


def _fill_list(message: ListValue, items: list[Any], depth: int) -> None:
    _check_depth(depth)
    for item in items:
        _fill(message.values.add(), item, depth)


def _fill_struct(message: Struct, fields: Mapping[str, Any], depth: int) -> None:
    _check_depth(depth)
    for name, value in fields.items():
        _fill(message.fields[_exact_text(name)], value, depth)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Inexact("too deep")


def _exact_integer(value: int) -> int:
    if abs(value) > MAX_EXACT_INTEGER:
        raise Inexact("an integer beyond 2^53")
    return value


def _exact_float(value: float) -> float:
    if not math.isfinite(value):
        raise Inexact("not finite")
    return value


def _exact_text(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise Inexact("a lone surrogate") from exc
    return text
