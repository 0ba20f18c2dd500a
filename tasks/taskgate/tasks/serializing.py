"""JSON as Celery writes and reads it, without what JSON itself does not have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kombu.exceptions import EncodeError
from kombu.utils import json


class ResultNotSerializable(EncodeError):
    """What the task returned cannot be written as JSON."""


class ResultTooLarge(EncodeError):
    """What the task returned is longer than a result may be."""


def to_json(value: Any) -> str:
    """JSON text; datetimes, UUIDs and their like in Celery's own notation.

    Raises:
        ResultNotSerializable: there is something in it that JSON cannot hold, NaN included.
    """
    try:
        text: str = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ResultNotSerializable(f"{type(value).__name__}: {exc}") from exc
    return text


def from_json(text: str) -> Any:
    """The value that ``to_json`` wrote; what only looks like Celery's notation stays as it is."""
    return json.loads(text, object_hook=_decode)


def _decode(value: dict[str, Any]) -> Any:
    try:
        return json.object_hook(value)
    except (TypeError, ValueError, AttributeError):
        return value


_FLOAT = "taskgate.float"
"""The type, in Celery's notation, of the floats that JSON cannot hold: NaN and the infinities."""

json.register_type(type("_NotFinite", (float,), {}), _FLOAT, str, float)


def with_any_float(value: Any) -> Any:
    """The value with NaN and infinities in a notation that ``from_json`` and workers read back."""
    match value:
        case float() if not math.isfinite(value):
            return {"__type__": _FLOAT, "__value__": str(value)}
        case dict():
            return {key: with_any_float(item) for key, item in value.items()}
        case list() | tuple():
            return [with_any_float(item) for item in value]
    return value


def arguments_json(
    args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, *, must_be_json: bool = False
) -> str:
    """A record's ``arguments``; what JSON cannot hold stands as its repr.

    Raises:
        EncodeError: JSON cannot hold them, and ``must_be_json``.
    """
    value = {"args": list(args or ()), "kwargs": dict(kwargs or {})}
    try:
        return to_json(with_any_float(value))
    except (ResultNotSerializable, RecursionError) as exc:
        if must_be_json:
            raise EncodeError(f"the arguments cannot be written as JSON: {exc}") from exc
        text: str = json.dumps(
            {
                "args": [repr(arg) for arg in value["args"]],
                "kwargs": {name: repr(arg) for name, arg in (kwargs or {}).items()},
            }
        )
        return text
