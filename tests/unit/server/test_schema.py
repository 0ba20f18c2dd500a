"""Server and worker take the same values: each type and each value is put to both."""

from __future__ import annotations

import json
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import (
    Callable,
    Collection,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

import pytest
from pydantic import (
    UUID1,
    UUID4,
    AfterValidator,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    Base64Str,
    Base64UrlStr,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    FiniteFloat,
    FutureDatetime,
    HttpUrl,
    IPvAnyAddress,
    Json,
    JsonValue,
    NaiveDatetime,
    NegativeFloat,
    PastDate,
    PositiveInt,
    SecretStr,
    Strict,
    StrictBool,
    StrictBytes,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    field_validator,
    model_validator,
    with_config,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

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


class Span(NamedTuple):
    a: int
    b: str = "b"


class Size(NamedTuple):
    x: int
    y: float


class StrictOrder(BaseModel):
    model_config = ConfigDict(strict=True)
    x: int
    y: str = "a"
    z: tuple[int, ...] = ()


@pydantic_dataclass(config=ConfigDict(strict=True))
class StrictPoint:
    x: int


@with_config(ConfigDict(strict=True, extra="forbid"))
class StrictBox(TypedDict):
    a: int


class Lax(BaseModel, coerce_numbers_to_str=True, str_strip_whitespace=True):
    x: int = 1
    y: str = "a"


class Aliased(BaseModel, populate_by_name=True):
    x: int = Field(alias="a")


class Loose(BaseModel, extra="allow"):
    __pydantic_extra__: dict[str, int]


class Optional_(BaseModel):  # noqa: N801
    x: int | None = None
    a: Json[int] | None = None


class JsonOrder(BaseModel):
    a: Json[Order]


class Level(IntEnum):
    LOW = 1
    HIGH = 5


class Digit(Enum):
    ONE = 1
    A = "a"


class Flagged(Flag):
    ONE = 1
    TWO = 2


class Missing(Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls.A if value in ("aaa", 5) else None


class Prepared(BaseModel):
    x: int

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, given: Any) -> Any:
        return {"x": given} if isinstance(given, int) else given


class Wrapped(BaseModel):
    x: int

    @field_validator("x", mode="wrap")
    @classmethod
    def _wrap(cls, value: Any, read: Any) -> Any:
        return 0 if value is None else read(value)


def _even(value: Any) -> Any:
    if value == 5:
        raise ValueError("no fives")
    return value


TYPES: list[Any] = [
    *(int, float, str, bool, type(None), Any, object, dict, list),
    *(StrictInt, StrictFloat, StrictStr, StrictBool, Decimal),
    *(datetime, date, time, timedelta, UUID, UUID4, AnyUrl, Path, re.Pattern, SecretStr),
    *(Colour, Literal["a", "red"], Order, Point, Box, Json, JsonValue),
    *(list[int], set[int], frozenset[str], tuple[int, str], tuple[int, ...], deque[int]),
    *(dict[str, int], dict[int, str], dict[UUID, int], Sequence[int], Mapping[str, int]),
    *(int | None, int | str, int | float, bool | int, list[int] | dict[str, int]),
    *(Iterable[int], Iterable[str], Iterator[int], Generator[int, None, None], Collection[int]),
    *(NamedTuple("Pair", [("a", int), ("b", str)]), Span, Size, complex),
    *(IPv4Address, IPv6Address, IPv4Network, IPv6Network, IPv4Interface, IPvAnyAddress),
    *(Base64Str, Base64Bytes, Base64UrlStr, ByteSize, Json[list[int]], Json[int], JsonOrder),
    *(
        StrictBytes,
        Annotated[date, Strict()],
        NaiveDatetime,
        PastDate,
        AwareDatetime,
        FutureDatetime,
    ),
    *(StrictOrder, StrictBox, StrictPoint, Lax, Aliased, Level, Digit, Loose, Optional_),
    *(PositiveInt, NegativeFloat, FiniteFloat, Fraction, PurePath, HttpUrl, Hashable, UUID1),
    *(set[int] | list[str], dict[Colour, int], dict[date, int], dict[bool, int], dict[float, int]),
    *(
        Counter[str],
        defaultdict[str, list[int]],
        OrderedDict[str, int],
        Literal[1, "1", True],
    ),
    *(tuple[int, ...] | None, list[Order | Point], type, Callable, Decimal | int),
    Annotated[set[int], Field(min_length=2)],
    Annotated[set[int], Field(max_length=1)],
    Annotated[frozenset[str], Field(min_length=1, max_length=2)],
    Annotated[tuple[int, ...], Field(min_length=2)],
    Annotated[dict[str, int], Field(min_length=1, max_length=1)],
    Annotated[list[int], Strict()],
    Annotated[set[int], Strict()],
    Annotated[tuple[int, str], Strict()],
    Annotated[datetime, Strict()],
    Annotated[timedelta, Field(ge=timedelta(minutes=1))],
    Annotated[date, Field(gt=date(2026, 1, 1))],
    Annotated[bytes, Field(max_length=2)],
    Annotated[str, StringConstraints(to_lower=True, pattern="^a$")],
    Annotated[str, Field(coerce_numbers_to_str=True)],
    Annotated[Order | Point, Field(union_mode="left_to_right")],
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
{"a":1,"b":"x"}  {"x":1,"y":2}  {"red":1}  {"2026-11-25":1}
2130706433  -1  4294967296  "10.0.0.0/8"  "10.0.0.1/8"  "127.0.0.1"  "::1"  "::/0"  "YWJj"  "YQ"
"10 MB"  "1.5GiB"  "3/4"  "1+2j"  "abc"  "AA"  " a "  "A"  "1j"  "[1,2]"  "5.0e0"  "3600"
"2020-01-01"  "2020-01-01T00:00:00"  "2030-01-01T00:00:00+02:00"  2  3  10  3600  1.0
{"x":1,"z":[1]}  {"a":"5"}  {"a":"{\\"x\\":1}"}  {"x":null,"a":"x"}  ["red"]  [true]
["2026-11-25"]  ["a","b"]  ["a","a"]  [2,2]  [2,3]  {"true":1}  {"1":1}  {"1.5":1}  {"a":[1]}
{"x":1,"y":"b"}  {"x":1,"z":2}  {"x":null}  {"a":1,"b":"c"}
{"6f0a3c5e-1b2d-4e3f-8a9b-0c1d2e3f4a5b":1}  {"x":1.0}  {"x":1e300}
"""


OPEN: list[Any] = [
    Annotated[int, AfterValidator(_even)],
    Annotated[int, BeforeValidator(_even)],
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)],
    *(bytes, Flagged, Missing, Prepared, Wrapped),
]
"""Types of which only the worker knows all: a user's code reads them, or they want valid UTF-8."""


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


def shown(annotation: Any) -> str:
    """Its name, the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(annotation))[:100]


def differences(annotation: Any) -> dict[str, str]:
    """The values that only one of the two takes, and which."""
    parameters = parameters_of(annotation)
    registered, definitions = parameters.definition()
    definition = json.loads(json.dumps({"parameters": registered, "defs": definitions}))
    signature = Signature.from_definition(definition)
    found = {}
    for text in re.split(r"\s\s|\n", VALUES.strip()):
        worker = worker_takes(parameters, json.loads(text))
        server = not any(signature.validate(Arguments([json.loads(text)])))
        if worker != server:
            found[text] = "worker" if worker else "server"
    return found


@pytest.mark.filterwarnings("ignore:__int__ returned non-int:DeprecationWarning")
@pytest.mark.parametrize("annotation", TYPES, ids=shown)
def test_server_and_worker_take_the_same(annotation: Any) -> None:
    assert differences(annotation) == {}


@pytest.mark.parametrize("annotation", OPEN, ids=shown)
def test_a_server_refuses_nothing_that_only_a_worker_can_judge(annotation: Any) -> None:
    assert "worker" not in differences(annotation).values()


def test_a_users_own_format_is_no_rule() -> None:
    birthday = Annotated[str, Field(json_schema_extra={"format": "date"})]
    assert differences(birthday) == {}
