from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value

from taskgate.client.values import arguments_json, from_value


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2**53,
        -(2**53),
        0.5,
        1e300,
        "",
        "ü\x00😀",
        [],
        {},
        [[], {"": [None, {"a": 1}]}],
    ],
)
def test_what_a_value_carries_comes_back(value: Any) -> None:
    carried = from_value(json_format.Parse(json.dumps(value), Value()))
    assert carried == value
    assert type(carried) is type(value)


def test_doubles_beyond_the_exact_integers_stay_doubles() -> None:
    assert isinstance(from_value(Value(number_value=2.0**60)), float)


def test_arguments_are_exact_json() -> None:
    args = [2**53 + 1, -(10**40), 0.1, "ü\ud800", None]
    assert json.loads(arguments_json(args, {"x": {}})) == {"args": args, "kwargs": {"x": {}}}
    assert json.loads(arguments_json((), {})) == {"args": [], "kwargs": {}}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_has_not_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        arguments_json([number], {})


def test_objects_that_json_has_not_are_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        arguments_json([object()], {})
