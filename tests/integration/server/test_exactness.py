"""Arguments and results come back exactly: nothing is rounded, nothing is lost."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.requests import arguments_of, get, result_of, submit, submit_text
from support.serving import SECONDS
from taskgate.store import queries, transitions
from taskgate.store.database.engine import Database
from taskgate.v1 import task_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

TEXT = st.text(st.characters(categories=None), max_size=20)  # lone surrogates and NULs too
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**53 - 2, max_value=2**53 + 2)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)

EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def same(one: Any, other: Any) -> bool:
    """Equal, types of numbers included, -0.0 told from 0.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def numbers_as_values_carry_them(value: Any) -> Any:
    """A protobuf Value does not tell 1.0 from 1; that is no loss, it is the same number."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return value if value == 0 and math.copysign(1, value) < 0 else int(value)
    if isinstance(value, list):
        return [numbers_as_values_carry_them(item) for item in value]
    if isinstance(value, dict):
        return {name: numbers_as_values_carry_them(item) for name, item in value.items()}
    return value


@EXAMPLES
@given(value=JSON)
def test_arguments_in_text(stub: TaskServiceStub, database: Database, value: Any) -> None:
    task = stub.Submit(submit_text("demo.echo", value), timeout=SECONDS).task
    with database.read() as tx:
        recorded = json.loads(queries.get(tx, task.id).arguments)
    assert same(recorded, {"args": [value], "kwargs": {}})
    answered = arguments_of(stub.Get(get(task.id), timeout=SECONDS).task)
    assert same(numbers_as_values_carry_them(answered), numbers_as_values_carry_them(recorded))


@EXAMPLES
@given(value=JSON)
def test_results(stub: TaskServiceStub, database: Database, value: Any) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    with database.write() as tx:
        transitions.claim(tx, task_id, 1, "w")
        assert transitions.succeed(tx, task_id, 1, json.dumps(value))
    task = stub.Get(get(task_id), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_SUCCEEDED
    assert same(numbers_as_values_carry_them(result_of(task)), numbers_as_values_carry_them(value))


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (2.0**53, str(2**53)),
        (2.0**60, "1.152921504606847e+18"),
        (0.5, "0.5"),
        (-0.0, "-0.0"),
        (1e300, "1e+300"),
        (True, "true"),
        (None, "null"),
        ("é\0", '"\\u00e9\\u0000"'),
        ([], "[]"),
        ({}, "{}"),
        ([{"a": [1, None]}], '[{"a":[1,null]}]'),
    ],
)
def test_arguments_in_values(
    stub: TaskServiceStub, database: Database, value: Any, recorded: str
) -> None:
    task = stub.Submit(submit("demo.echo", value), timeout=SECONDS).task
    with database.read() as tx:
        assert queries.get(tx, task.id).arguments == f'{{"args":[{recorded}],"kwargs":{{}}}}'
    assert not task.arguments_json
    assert arguments_of(task)["args"] == [value]


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 10**400, "\ud800", {"\udfff": 1}])
def test_what_values_cannot_carry_comes_as_text(stub: TaskServiceStub, value: Any) -> None:
    task = stub.Submit(submit_text("demo.echo", value), timeout=SECONDS).task
    assert not task.HasField("args")
    assert json.loads(task.arguments_json) == {"args": [value], "kwargs": {}}


@pytest.mark.parametrize(("depth", "in_values"), [(26, True), (27, False), (200, False)])
def test_deep_nesting(stub: TaskServiceStub, depth: int, in_values: bool) -> None:
    value: Any = 1
    for level in range(depth - 2):  # the text has an object and a list around it
        value = [value] if level % 2 else {"a": value}
    task = stub.Submit(submit_text("demo.echo", value), timeout=SECONDS).task
    assert task.HasField("args") is in_values
    assert arguments_of(task) == {"args": [value], "kwargs": {}}


def test_no_arguments(stub: TaskServiceStub) -> None:
    task = stub.Submit(submit("demo.anything"), timeout=SECONDS).task
    assert task.HasField("args")
    assert task.HasField("kwargs")
    assert arguments_of(task) == {"args": [], "kwargs": {}}


@pytest.mark.parametrize("result", ["NaN", "[Infinity]"])
def test_a_result_that_only_python_knows_comes_as_text(
    stub: TaskServiceStub, database: Database, result: str
) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    with database.write() as tx:
        transitions.claim(tx, task_id, 1, "w")
        transitions.succeed(tx, task_id, 1, result)
    assert stub.Get(get(task_id), timeout=SECONDS).task.result_json == result
