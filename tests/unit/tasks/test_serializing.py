from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from taskgate.tasks.serializing import (
    ResultNotSerializable,
    arguments_json,
    from_json,
    to_json,
)


@pytest.mark.parametrize(
    "value",
    [
        None,
        2**70,
        0.1,
        "ü\0\ud800",
        [1, [2, {"": None}]],
        datetime(2026, 11, 22, tzinfo=UTC),
        Decimal("0.10"),
        {"__type__": "nothing of Celery's", "__value__": 1},
        {"__type__": "uuid", "__value__": 1},
    ],
)
def test_there_and_back(value: Any) -> None:
    assert from_json(to_json(value)) == value


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [object(), float("nan"), float("inf"), {(1, 2): 3}, nested(100_000)], ids=type
)
def test_what_json_does_not_have(value: Any) -> None:
    with pytest.raises(ResultNotSerializable):
        to_json(value)


def test_arguments_that_json_cannot_hold_stand_as_their_repr() -> None:
    assert json.loads(arguments_json([object, 1], {"x": 2})) == {
        "args": [repr(object), "1"],
        "kwargs": {"x": "2"},
    }
