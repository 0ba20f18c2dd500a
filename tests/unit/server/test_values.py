from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from taskgate.server.messages import values

EXACT = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53), max_value=2**53)
    | st.floats(allow_nan=False, allow_infinity=False).filter(
        lambda number: not number.is_integer() or abs(number) > 2**53
    )
    | st.just(-0.0)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def dumps(value: Any) -> str:
    """Tells 1 from 1.0 and 0.0 from -0.0, and minds no order."""
    return json.dumps(value, sort_keys=True)


@given(EXACT)
def test_there_and_back_over_the_wire(value: Any) -> None:
    message = Value.FromString(values.to_value(value).SerializeToString())
    assert dumps(values.from_value(message)) == dumps(value)


@pytest.mark.parametrize(
    "value",
    [2**53 + 1, -(2**53) - 1, 10**400, math.inf, math.nan, "\ud800", {"\ud800": 1}, [[2**60]]],
)
def test_what_would_be_changed_is_refused(value: Any) -> None:
    with pytest.raises(values.Inexact):
        values.to_value(value)


def test_the_deepest_value_is_within_what_parsers_take() -> None:
    """C++ and Java stop at 100 messages, of which an answer has at most six around a value."""
    value: Any = 1
    for _ in range(values.MAX_DEPTH):
        value = {"a": value}
    message = values.to_value(value)
    assert _messages(message) <= 94
    with pytest.raises(values.Inexact):
        values.to_value([value])


def _messages(message: Value) -> int:
    """How many messages are within each other; a map's entry is one."""
    if message.WhichOneof("kind") != "struct_value":
        return 1
    [inner] = message.struct_value.fields.values()
    return 3 + _messages(inner)


@pytest.mark.parametrize(
    ("number", "read"),
    [(3.0, 3), (-3.0, -3), (2.0**53, 2**53), (2.0**53 + 2, 2.0**53 + 2), (0.5, 0.5), (0.0, 0)],
)
def test_whole_numbers_become_integers(number: float, read: float) -> None:
    value = values.from_value(Value(number_value=number))
    assert (value, type(value)) == (read, type(read))


def test_minus_zero_keeps_its_sign() -> None:
    assert math.copysign(1, values.from_value(Value(number_value=-0.0))) == -1


@pytest.mark.parametrize(
    "value", [Value(), Value(number_value=math.nan), Value(number_value=-math.inf)]
)
def test_what_stands_for_no_json(value: Value) -> None:
    with pytest.raises(values.NotAValue):
        values.from_list(ListValue(values=[Value(list_value=ListValue(values=[value]))]))
    with pytest.raises(values.NotAValue):
        values.from_struct(Struct(fields={"a": value}))
