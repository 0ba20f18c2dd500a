"""A request's arguments: as protobuf values or as JSON text, kept as one exact JSON text.

JSON is read strictly: what RFC 8259 does not know (NaN, Infinity), what Python would drop or round
without a word (repeated names, numbers beyond a double) and what another program could not read
back (deep nesting) is refused. It is written in plain ASCII: lone surrogates and NULs travel as
escapes, through every database.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Never

from taskgate.server.errors import PayloadTooLarge, ViolationReason, Violations
from taskgate.server.messages import values
from taskgate.server.text import quote
from taskgate.store.record import Task
from taskgate.tasks import bodies
from taskgate.v1 import task_service_pb2

Carrier = task_service_pb2.SubmitRequest | task_service_pb2.RetryRequest
"""The requests that carry arguments, in fields of the same names."""

MAX_DEPTH = 200
"""Lists and objects within each other: workers read the text too, on a Python stack."""

PROTOBUF_BYTES = 6
"""A protobuf Value takes at most so many times the bytes of its JSON text: a digit takes 11."""

_SHAPE = 'it must be an object such as {"args": [1, 2], "kwargs": {"x": 3}}'


class NotJson(ValueError):
    """The text is not JSON that can be kept as it is; the message says why."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a task is called with."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text that is recorded and sent to the worker."""
        return write({"args": list(self.args), "kwargs": dict(self.kwargs)})


def are_given(request: Carrier) -> bool:
    """Whether the request says anything about arguments."""
    return bool(request.HasField("args") or request.HasField("kwargs") or request.arguments_json)


def read(request: Carrier, limit: int, violations: Violations) -> Arguments:
    """The arguments that a request carries; empty ones, and violations, if they are wrong.

    ``limit``: bytes that they may take as JSON text. What is certainly longer is not looked at.

    Raises:
        PayloadTooLarge: they are longer.
    """
    check_size(len(request.arguments_json), limit)
    if not request.arguments_json:
        size = request.args.ByteSize() + request.kwargs.ByteSize()
        check_size(size // PROTOBUF_BYTES, limit)
        return _from_values(request, violations)
    for name in ("args", "kwargs"):
        if request.HasField(name):
            reason = ViolationReason.ARGUMENTS_INVALID
            violations.add(name, "give arguments_json or this, not both", reason)
    return _from_text(request.arguments_json, violations)


def recorded(task: Task) -> Arguments:
    """The arguments of a record.

    Raises:
        NotJson: they would not come back as they are.
    """
    kept = bodies.body_of(parse(task.message)) if task.message else None
    if kept is not None:
        raise NotJson(f"they were sent as {kept.content_type}; give others (replace_arguments)")
    value = parse(task.arguments)
    return Arguments(value["args"], value["kwargs"])


def check_size(size: int, limit: int) -> None:
    """See that a size in bytes is within the limit.

    Raises:
        PayloadTooLarge: it is not.
    """
    if size > limit:
        raise PayloadTooLarge(size, limit)


def parse(text: str) -> Any:
    """The value that the JSON text stands for.

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
    if depth(value) > MAX_DEPTH:
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


def _from_values(request: Carrier, violations: Violations) -> Arguments:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    try:
        args = values.from_list(request.args)
    except values.NotAValue as exc:
        violations.add("args", str(exc), ViolationReason.ARGUMENTS_INVALID)
    try:
        kwargs = values.from_struct(request.kwargs)
    except values.NotAValue as exc:
        violations.add("kwargs", str(exc), ViolationReason.ARGUMENTS_INVALID)
    return Arguments(args, kwargs)


def _from_text(text: str, violations: Violations) -> Arguments:
    reason = ViolationReason.ARGUMENTS_INVALID
    try:
        value = parse(text)
    except NotJson as exc:
        violations.add("arguments_json", f"{quote(text)}: {exc}", reason)
        return Arguments()
    problem = _shape_error(value)
    if problem:
        violations.add("arguments_json", f"{problem}; {_SHAPE}", reason)
        return Arguments()
    return Arguments(value.get("args", []), value.get("kwargs", {}))


def _shape_error(value: Any) -> str:
    """What is wrong with the outermost shape; empty if nothing is."""
    if not isinstance(value, dict):
        return f"{quote(value)} is no object"
    if unknown := value.keys() - {"args", "kwargs"}:
        return f"{quote(sorted(unknown))} is unknown beside args and kwargs"
    if not isinstance(value.get("args", []), list):
        return f"args is {quote(value['args'])}, which is no list"
    if not isinstance(value.get("kwargs", {}), dict):
        return f"kwargs is {quote(value['kwargs'])}, which is no object"
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise NotJson(f"an object has the name {quote(_first_repeated(pairs))} more than once")
    return value


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise ValueError("no name is repeated")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise NotJson(f"{text[:40]} is beyond the numbers that Python's float holds")
    return value


def _refuse(constant: str) -> Never:
    raise NotJson(f"{constant} is not JSON")


def _too_deep() -> NotJson:
    return NotJson(f"lists and objects are nested more than {MAX_DEPTH} deep")
