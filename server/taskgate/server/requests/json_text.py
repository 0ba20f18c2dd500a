"""JSON text, read strictly and written in plain ASCII.

Strictly: what RFC 8259 does not know (NaN, Infinity), what Python would drop or round without a
word (repeated names, numbers beyond a double) and what another program could not read back (deep
nesting) is refused. In ASCII: lone surrogates and NULs travel as escapes, through every database.
"""

from __future__ import annotations

import json
import math
from typing import Any, Never

MOST_DEPTH = 200
"""Lists and objects within each other: workers read the text too, on a Python stack."""


class NotJson(ValueError):
    """The text is not JSON that can be kept as it is; the message says why."""


def parse(text: str) -> Any:
    """The value that the text stands for.

    Raises:
        NotJson: it stands for none, or for one that would not come back as it is.
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_constant=_refuse
        )
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise exc if isinstance(exc, NotJson) else NotJson(str(exc)) from exc
    if depth(value) > MOST_DEPTH:
        raise _too_deep()
    return value


def write(value: Any) -> str:
    """The value as compact ASCII text."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def depth(value: Any) -> int:
    """How many lists and objects are within each other."""
    level, levels = [value], 0
    while level := [item for item in level if isinstance(item, (list, dict))]:
        levels += 1
        level = [child for item in level for child in _children(item)]
    return levels


def _children(item: list[Any] | dict[str, Any]) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise NotJson(f"an object has the name {json.dumps(repeated)} more than once")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise NotJson(f"{text[:40]} is beyond the numbers that Python's float holds")
    return value


def _refuse(constant: str) -> Never:
    raise NotJson(f"{constant} is not JSON")


def _too_deep() -> NotJson:
    return NotJson(f"lists and objects are nested more than {MOST_DEPTH} deep")
