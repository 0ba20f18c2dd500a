"""What a schema's ``format`` asks of a text: what pydantic, which reads it in the worker, takes.

A server must not refuse what its workers could read, nor take what they could not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

from pydantic import AnyUrl, TypeAdapter, ValidationError


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is checked."""

    noun: str
    """What a text of it is, for people."""
    fits: Callable[[str], bool]


def _read_as(type_: Any) -> Callable[[str], bool]:
    adapter: TypeAdapter[Any] = TypeAdapter(type_)

    def fits(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return fits


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


FORMATS: Mapping[str, Format] = {
    "date": Format("a date such as 2026-11-22", _read_as(date)),
    "date-time": Format("a date and time such as 2026-11-22T10:30:00Z", _read_as(datetime)),
    "decimal": Format("a decimal number", _read_as(Decimal)),
    "duration": Format("a duration such as PT1H30M", _read_as(timedelta)),
    "ipv4": Format("an IPv4 address", _read_as(IPv4Address)),
    "ipv6": Format("an IPv6 address", _read_as(IPv6Address)),
    "regex": Format("a regular expression", _is_pattern),
    "time": Format("a time of day such as 10:30:00", _read_as(time)),
    "uri": Format("a URL", _read_as(AnyUrl)),
    "uuid": Format("a UUID", _read_as(UUID)),
}

_UNCHECKED = (
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "iri",
    "iri-reference",
    "json-pointer",
    "relative-json-pointer",
    "uri-reference",
    "uri-template",
)
"""Formats that jsonschema-rs would check by rules that may be narrower than the worker's."""

CHECKS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(_UNCHECKED, lambda _: True),
    **{name: known.fits for name, known in FORMATS.items()},
}
"""For jsonschema-rs."""
