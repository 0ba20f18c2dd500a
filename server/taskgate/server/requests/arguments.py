"""A request's arguments: as protobuf values or as JSON text, kept as one exact JSON text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskgate.server.api.errors import Flaw, PayloadTooLarge
from taskgate.server.messages import values
from taskgate.server.requests import json_text
from taskgate.server.requests.text import quote
from taskgate.server.requests.violations import Violations
from taskgate.v1 import task_service_pb2

Carrier = task_service_pb2.SubmitRequest | task_service_pb2.RetryRequest
"""The requests that carry arguments, in fields of the same names."""

_SHAPE = 'it must be an object such as {"args": [1, 2], "kwargs": {"x": 3}}'


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a task is called with."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text that is recorded and sent to the worker."""
        return json_text.write({"args": list(self.args), "kwargs": dict(self.kwargs)})


def are_given(request: Carrier) -> bool:
    """Whether the request says anything about arguments."""
    return bool(request.HasField("args") or request.HasField("kwargs") or request.arguments_json)


def read(request: Carrier, violations: Violations) -> Arguments:
    """The arguments that a request carries; empty ones, and violations, if they are wrong."""
    if not request.arguments_json:
        return _from_values(request, violations)
    for name in ("args", "kwargs"):
        if request.HasField(name):
            violations.add(name, "give arguments_json or this, not both", Flaw.ARGUMENTS_INVALID)
    return _from_text(request.arguments_json, violations)


def recorded(text: str) -> Arguments:
    """The arguments of a record.

    Raises:
        NotJson: they would not come back as they are.
    """
    value = json_text.parse(text)
    return Arguments(value["args"], value["kwargs"])


def check_size(text: str, limit: int) -> None:
    """See that the arguments' text is within the limit.

    Raises:
        PayloadTooLarge: it is not.
    """
    if len(text) > limit:
        raise PayloadTooLarge(len(text), limit)


def _from_values(request: Carrier, violations: Violations) -> Arguments:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    try:
        args = values.from_list(request.args)
    except values.NotAValue as exc:
        violations.add("args", str(exc), Flaw.ARGUMENTS_INVALID)
    try:
        kwargs = values.from_struct(request.kwargs)
    except values.NotAValue as exc:
        violations.add("kwargs", str(exc), Flaw.ARGUMENTS_INVALID)
    return Arguments(args, kwargs)


def _from_text(text: str, violations: Violations) -> Arguments:
    try:
        value = json_text.parse(text)
    except json_text.NotJson as exc:
        violations.add("arguments_json", f"{quote(text)}: {exc}", Flaw.ARGUMENTS_INVALID)
        return Arguments()
    problem = _misshapen(value)
    if problem:
        violations.add("arguments_json", f"{problem}; {_SHAPE}", Flaw.ARGUMENTS_INVALID)
        return Arguments()
    return Arguments(value.get("args", []), value.get("kwargs", {}))


def _misshapen(value: Any) -> str:
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
