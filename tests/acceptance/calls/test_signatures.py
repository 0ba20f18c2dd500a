"""Each kind of signature: what the server lets through arrives as the parameters' types, and what
the worker could not read is refused, field by field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from support.deployment import Deployment
from support.requests import get, result_of
from support.serving import refused
from taskgate.v1 import task_pb2, task_service_pb2

UUID = "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"
ENDS = [{"x": 1}, {"x": 2, "y": 3}]


def request(
    task_type: str, args: Sequence[Any] = (), **kwargs: Any
) -> task_service_pb2.SubmitRequest:
    text = json.dumps({"args": args, "kwargs": kwargs})
    return task_service_pb2.SubmitRequest(task_type=task_type, arguments_json=text)


FITTING: list[tuple[task_service_pb2.SubmitRequest, list[str]]] = [
    (request("typed.plain", [1, 2, "a"]), ["1", "2.0", "'a'", "False"]),
    (request("typed.plain", whole=2**70, fraction=1, text="", flag=True),
     [str(2**70), "1.0", "''", "True"]),
    (request("typed.unannotated", [{"a": [None]}], second="x"), ["{'a': [None]}", "'x'"]),
    (request("typed.unannotated", [1]), ["1", "2"]),
    (request("typed.positional_only", [1], y=2), ["1", "2"]),
    (request("typed.keyword_only", x=1), ["1", "5"]),
    (request("typed.rest", ["a"]), ["'a'", "()", "{}"]),
    (request("typed.rest", ["a", 1, 2], due="2026-11-22"),
     ["'a'", "(1, 2)", "{'due': datetime.date(2026, 11, 22)}"]),
    (request("typed.bound", [7]), ["7", "'typed.bound'"]),
    (request("typed.retried", [7]), ["7"]),
    (request("typed.scalars", ["2026-11-22T10:30:00Z", "1.10", UUID, "red", "PT1M"]),
     ["datetime.datetime(2026, 11, 22, 10, 30, tzinfo=TzInfo(0))", "Decimal('1.10')",
      f"UUID('{UUID}')", "<Colour.RED: 'red'>", "datetime.timedelta(seconds=60)"]),
    (request("typed.scalars", ["2026-11-22 10:30", 2, UUID.replace("-", ""), "blue"]),
     ["datetime.datetime(2026, 11, 22, 10, 30)", "Decimal('2')", f"UUID('{UUID}')",
      "<Colour.BLUE: 'blue'>", "datetime.timedelta(0)"]),
    (request("typed.unions", [None], either="x", mode="slow"), ["None", "'x'", "'slow'"]),
    (request("typed.unions", [3], either=4), ["3", "4", "'fast'"]),
    (request("typed.models", [{"ends": ENDS, "width": 2}, {"a": {"x": 5}}]),
     ["Line(ends=[Point(x=1, y=0), Point(x=2, y=3)], label=None, width=2.0)",
      "{'a': Point(x=5, y=0)}", "None"]),
    (request("typed.models", [{"ends": ENDS}, {}], best={"x": 1, "y": 1}),
     ["Line(ends=[Point(x=1, y=0), Point(x=2, y=3)], label=None, width=1.0)", "{}",
      "Point(x=1, y=1)"]),
    (request("typed.bounded", [100], code="XYZ", tags=["b", "a"]), ["100", "'XYZ'", "['a', 'b']"]),
]  # fmt: skip


def test_fitting_arguments_arrive_as_their_types(deployment: Deployment) -> None:
    stub = deployment.stub()
    batch = task_service_pb2.SubmitBatchRequest(requests=[sent for sent, _ in FITTING])
    results = stub.SubmitBatch(batch, timeout=30).results
    for (sent, expected), result in zip(FITTING, results, strict=True):
        assert result.HasField("task"), (sent, result.error.message)
        task = stub.Get(get(result.task.id, wait=30), timeout=40).task
        assert task.state == task_pb2.TASK_STATE_SUCCEEDED, (sent, task.error.message)
        assert result_of(task) == expected


MISFITS: list[tuple[task_service_pb2.SubmitRequest, dict[str, str]]] = [
    (request("demo.countdown", seconds="abc"), {"kwargs.seconds": '"abc" is not a number'}),
    (request("typed.plain", [1.5, "b", 3], flag="maybe"),
     {"args[0]": "1.5 is not an integer", "args[1]": '"b" is not a number',
      "args[2]": "3 is not a string", "kwargs.flag": '"maybe" is not true or false'}),
    (request("typed.plain", [1]),
     {"kwargs.fraction": "'fraction' is missing", "kwargs.text": "'text' is missing"}),
    (request("typed.plain", [1, 2, "a", True, 5]),
     {"args": "5 were given, and at most 4 are taken"}),
    (request("typed.unannotated", [1], secnd=2),
     {"kwargs.secnd": "the task has no parameter 'secnd': did you mean 'second'?"}),
    (request("typed.positional_only", x=1, y=2),
     {"kwargs.x": "'x' goes by position only, in args",
      "args": "'x' is missing; it goes by position only"}),
    (request("typed.keyword_only", [1], x=1), {"args": "1 were given, and at most 0 are taken"}),
    (request("typed.rest", ["a", 1, "2nd", 3], due="soon"),
     {"args[2]": '"2nd" is not an integer',
      "kwargs.due": '"soon" is not a date such as 2026-11-22'}),
    (request("typed.bound", [1], self=2),
     {"kwargs.self": "the task has no parameter 'self'; it has 'x'"}),
    (request("typed.bound", [1], x=2), {"kwargs.x": "'x' is given by position too, in args"}),
    (request("typed.retried", ["one"]), {"args[0]": '"one" is not an integer'}),
    (request("typed.scalars", ["then", "much", "q", "green", "long"]),
     {"args[0]": '"then" is not a date and time such as 2026-11-22T10:30:00Z',
      "args[1]": '"much" is not a decimal number',
      "args[2]": '"q" is not a UUID',
      "args[3]": '"green" is not one of "red", "blue"',
      "args[4]": '"long" is not a duration such as PT1H30M'}),
    (request("typed.unions", ["x"], either=1.5, mode="medium"),
     {"args[0]": '"x" is neither an integer nor null',
      "kwargs.either": "1.5 is neither an integer nor a string",
      "kwargs.mode": '"medium" is not one of "fast", "slow"'}),
    (request("typed.models", [{"ends": [{"x": 1}], "width": 0, "color": "red"}, {"a": {"y": "b"}}],
             best={"x": None}),
     {"args[0].ends": '[{"x": 1}] has less than 2 items',
      "args[0].width": "0 is less than or equal to the minimum of 0",
      "args[0].color": "it is not expected",
      "args[1].a.x": "it is missing",
      "args[1].a.y": '"b" is not an integer',
      "kwargs.best.x": "null is not an integer"}),
    (request("typed.models", ["line", {}]), {"args[0]": '"line" is not an object'}),
    (request("typed.bounded", [101], code="abcd", tags=["a", "b", "c"]),
     {"args[0]": "101 is greater than the maximum of 100",
      "kwargs.code": '"abcd" does not match "^[A-Z]{3}$"',
      "kwargs.tags": '["a", "b", "c"] has more than 2 different items'}),
    (request("typed.bounded", [1], tags=[1, 1, 1]),
     {"kwargs.tags[0]": "1 is not a string",
      "kwargs.tags[1]": "1 is not a string",
      "kwargs.tags[2]": "1 is not a string"}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(MISFITS)))
def test_each_wrong_field_is_one_violation(deployment: Deployment, number: int) -> None:
    sent, expected = MISFITS[number]
    refusal = refused(deployment.stub().Submit, sent)
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "ARGUMENTS_INVALID",
    )
    assert {field: set(text.split("; ")) for field, text in refusal.violations.items()} == {
        field: set(text.split("; ")) for field, text in expected.items()
    }
