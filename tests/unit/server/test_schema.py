"""Server and worker take the same values: each type and each value is put to both."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

import pytest
from pydantic import (
    UUID4,
    AnyUrl,
    BaseModel,
    Field,
    Json,
    JsonValue,
    SecretStr,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from taskgate.server.requests.arguments import Arguments
from taskgate.server.requests.signature import Signature
from taskgate.tasks.signature import ArgumentsInvalid, Parameters


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Order(BaseModel, extra="forbid"):
    x: int
    y: str = "a"


@dataclass
class Point:
    x: int
    y: float = 1.0


class Box(TypedDict):
    a: int
    b: NotRequired[str]


TYPES: list[Any] = [
    *(int, float, str, bool, type(None), Any, object, dict, list),
    *(StrictInt, StrictFloat, StrictStr, StrictBool, Decimal),
    *(datetime, date, time, timedelta, UUID, UUID4, AnyUrl, Path, re.Pattern, SecretStr),
    *(Colour, Literal["a", "red"], Order, Point, Box, Json, JsonValue),
    *(list[int], set[int], frozenset[str], tuple[int, str], tuple[int, ...], deque[int]),
    *(dict[str, int], dict[int, str], dict[UUID, int], Sequence[int], Mapping[str, int]),
    *(int | None, int | str, int | float, bool | int, list[int] | dict[str, int]),
    Annotated[int, Field(ge=1, le=10)],
    Annotated[int, Field(gt=0)],
    Annotated[float, Field(multiple_of=0.5)],
    Annotated[float, Field(allow_inf_nan=False)],
    Annotated[str, Field(min_length=2, max_length=4)],
    Annotated[str, Field(pattern="^a+$")],
    Annotated[Decimal, Field(max_digits=4, decimal_places=2)],
    Annotated[list[int], Field(min_length=1, max_length=2)],
]

VALUES = """
0  1  -1  5  5.0  5.5  1e3  1e300  -0.0  1e-7  9007199254740993  123456789012345678901234567890
2e10  true  false  null  ""  "a"  "aaa"  "5"  " 5 "  "5.0"  "5.5"  "1e3"  "1_000"  "inf"  "nan"
"true"  "yes"  "1"  "red"  "2026-11-25"  "2026-11-25T10:00:00Z"  "2026-11-25 10:00"  "10:30:00"
"10:30"  "PT1H"  "1 day"  "01:00:00"  "6f0a3c5e-1b2d-4e3f-8a9b-0c1d2e3f4a5b"
"6F0A3C5E1B2D4E3F8A9B0C1D2E3F4A5B"  "{\\"a\\":1}"  "[1]"  "http://x.y/"  "("  "12.345"
"\\ud800"  "\u0663"  []  [1]  [1,1]  [1,2,3]  ["a"]  ["1"]  [1,"a"]  [1,"a",2]  [1.0]  [1.5]
[null]  [[1]]  [1e300]  {}  {"a":1}  {"a":"1"}  {"1":"a"}  {"1.0":"a"}  {"x":1}  {"x":"1"}
{"x":1,"y":"b"}  {"x":1,"z":2}  {"x":null}  {"a":1,"b":"c"}
{"6f0a3c5e-1b2d-4e3f-8a9b-0c1d2e3f4a5b":1}  {"x":1.0}  {"x":1e300}
"""


def parameters_of(annotation: Any) -> Parameters:
    def function(value: Any) -> None: ...

    function.__annotations__ = {"value": annotation}
    return Parameters(function, typed=True)


def worker_takes(parameters: Parameters, value: Any) -> bool:
    try:
        parameters.convert((value,), {})
    except ArgumentsInvalid:
        return False
    return True


@pytest.mark.parametrize("annotation", TYPES, ids=str)
def test_server_and_worker_take_the_same(annotation: Any) -> None:
    parameters = parameters_of(annotation)
    registered, definitions = parameters.definition()
    definition = json.loads(json.dumps({"parameters": registered, "defs": definitions}))
    signature = Signature.from_definition(definition)
    values = re.split(r"\s\s|\n", VALUES.strip())
    differences = {
        text: f"the worker takes it: {taken}"
        for text in values
        if (taken := worker_takes(parameters, json.loads(text)))
        is any(signature.validate(Arguments([json.loads(text)])))
    }
    assert differences == {}
