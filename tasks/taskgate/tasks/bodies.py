"""Arguments that JSON would not give back as they are: kept, and published again, as serialised.

A message of pickle, YAML or msgpack can hold tuples, sets and a user's own objects. The record
shows them as well as JSON can; what the next attempts are given is what the first one was.
Servers publish them without ever reading them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kombu import serialization
from kombu.utils import json as kombu_json

CONTENT_HEADER = "taskgate_content_type"
"""Set on a received message, for whoever records it: what its body was serialised as."""

CANVAS_HEADER = "taskgate_canvas"
"""On a message that is published with a kept body: what else its body would have carried."""

_JSON = "application/json"


registry: Any = serialization.registry  # type: ignore[attr-defined]  # its stubs leave it out


class Body(NamedTuple):
    """The body of a message, as it was serialised."""

    content_type: str
    content_encoding: str
    data: bytes


def note_content(message: Any) -> None:
    """Make of a received message's headers what they are to say of it.

    Raises:
        ValueError: they are malformed.
    """
    headers = message.headers
    if not isinstance(headers, dict) or "task" not in headers:
        return
    if message.content_type != _JSON:
        headers[CONTENT_HEADER] = message.content_type
    if CANVAS_HEADER in headers:
        headers.update(kombu_json.loads(headers.pop(CANVAS_HEADER)))


def kept(
    args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, content_type: str | None
) -> dict[str, str] | None:
    """What ``Task.message`` keeps of the arguments of a message; None if JSON holds them exactly.

    Raises:
        kombu.exceptions.EncodeError: they cannot be serialised.
    """
    arguments = [list(args or ()), dict(kwargs or {})]
    serializer = registry.type_to_name.get(content_type or _JSON)
    if serializer in (None, "json") or _is_json(arguments):
        return None
    content_type, encoding, data = registry.dumps([*arguments, {}], serializer)
    raw = data if isinstance(data, bytes) else data.encode(encoding)
    text = base64.b64encode(raw).decode()
    return {"content_type": content_type, "content_encoding": encoding, "data": text}


def content_type_of(serializer: str) -> str:
    """The content type of a serializer's messages."""
    return str(registry.name_to_type.get(serializer, serializer))


def body_of(canvas: Mapping[str, Any]) -> Body | None:
    """The body that ``Task.message`` has kept."""
    found = canvas.get("body")
    if not found:
        return None
    return Body(found["content_type"], found["content_encoding"], base64.b64decode(found["data"]))


def _is_json(value: Any) -> bool:
    """Whether reading the value's JSON text gives the same value, of the same types."""
    if value is None or type(value) in (bool, int, float, str):
        return True
    if type(value) is list:
        return all(map(_is_json, value))
    return type(value) is dict and all(
        type(name) is str and _is_json(item) for name, item in value.items()
    )
