"""Large and hostile arguments: answered in a time that grows with their size, and no faster.

Each of these froze a server for longer than a call's deadline here.
"""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Value
from google.rpc import error_details_pb2

from support.requests import get, submit, submit_text
from support.serving import SECONDS, parameter, refused, register
from taskgate.store.database.engine import Database
from taskgate.tasks.json_schemas import READ_AS
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
REGEX = {**TEXT, READ_AS: {"type": "known", "name": "Pattern"}}

UNION = {
    "anyOf": [
        {"type": "array", "items": INTEGER},
        {"type": "array", "items": TEXT},
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "array", "items": {"type": "array", "items": INTEGER}},
    ]
}

TREE = {
    "type": "object",
    "properties": {
        "value": INTEGER,
        "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
    },
    "required": ["value"],
}

# Either alternative leads to both again: a wrong leaf below n levels is looked at 2^n times.
EITHER = {"anyOf": [{"$ref": "#/$defs/Left"}, {"$ref": "#/$defs/Right"}, {"type": "null"}]}
TWINS = {
    name: {"type": "object", "properties": {"next": EITHER}, "required": ["next"]}
    for name in ("Left", "Right")
}


@pytest.fixture(autouse=True)
def types(database: Database) -> None:
    register(database, "demo.union", parameter("value", UNION))
    register(
        database, "demo.tree", parameter("tree", {"$ref": "#/$defs/Tree"}), defs={"Tree": TREE}
    )
    register(database, "demo.twins", parameter("value", EITHER), defs=TWINS)
    register(database, "demo.pattern", parameter("text", {**TEXT, "pattern": "^(a+)+$"}))
    register(database, "demo.regex", parameter("text", REGEX))
    register(database, "demo.numbers", parameter("values", {"type": "array", "items": INTEGER}))


def test_a_repeated_name_among_many(stub: TaskServiceStub) -> None:
    names = ",".join(f'"{number:x}":0' for number in range(60_000))
    text = f'{{"args":[{{{names},"ea5f":1}}]}}'
    refusal = refused(stub.Submit, submit("demo.echo", arguments_json=text))
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert '"ea5f" more than once' in refusal.violations["arguments_json"]


WRONG: list[tuple[str, Any, str, str]] = [
    ("demo.union", [["x"]] * 90_000, "args[0]", "fits none of its alternatives"),
    ("demo.union", [[number, "x"] for number in range(50_000)], "args[0]", "fits none of its"),
    (
        "demo.tree",
        {"value": 1, "children": [{"value": "x"}] * 50_000},
        "args[0].children[0].value",
        '"x" is not an integer',
    ),
    ("demo.numbers", [0] * 300_000 + ["x"], "args[0][300000]", '"x" is not an integer'),
    ("demo.pattern", "a" * 40 + "b", "args[0]", "does not match"),
]


@pytest.mark.parametrize(("task_type", "value", "field", "words"), WRONG)
def test_the_first_wrong_fields_of_a_large_value(
    stub: TaskServiceStub, task_type: str, value: Any, field: str, words: str
) -> None:
    requests = [submit_text(task_type, value) for _ in range(7)]
    batch = task_service_pb2.SubmitBatchRequest(requests=requests)
    results = stub.SubmitBatch(batch, timeout=SECONDS).results
    assert len(results) == 7
    for result in results:
        assert result.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        bad_request = error_details_pb2.BadRequest()
        assert result.error.details[1].Unpack(bad_request)
        assert bad_request.field_violations[0].field == field
        assert words in bad_request.field_violations[0].description


def test_deep_alternatives_are_left_to_the_worker(stub: TaskServiceStub) -> None:
    value: Any = {"next": "wrong"}
    for _ in range(80):
        value = {"next": value}
    task = stub.Submit(submit_text("demo.twins", value), timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_QUEUED
    refusal = refused(stub.Submit, submit_text("demo.twins", {"next": {"next": "wrong"}}))
    assert list(refusal.violations) == ["args[0]"]


def test_a_long_regular_expression_is_left_to_the_worker(stub: TaskServiceStub) -> None:
    for text in ("(a)" * 200_000, "|".join("abcd" for _ in range(180_000))):
        stub.Submit(submit_text("demo.regex", text), timeout=SECONDS)
    refusal = refused(stub.Submit, submit_text("demo.regex", "("))
    assert "is not a regular expression" in refusal.violations["args[0]"]


def test_too_large_arguments_are_not_parsed(stub: TaskServiceStub) -> None:
    text = '{"args": [' + "[" * 4_000_000
    assert refused(stub.Submit, submit(arguments_json=text)).reason == "PAYLOAD_TOO_LARGE"
    request = submit("demo.echo")
    request.args.values.extend([Value(number_value=1)] * 600_000)
    assert refused(stub.Submit, request).reason == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"states": [task_pb2.TASK_STATE_FAILED] * 4_000_000}, "states"),
        ({"labels": {f"{number}": "" for number in range(200_000)}}, "labels"),
        ({"task_types": ["x"] * 500_000}, "task_types"),
        ({"queues": ["x" * 4_000_000]}, "queues[0]"),
        ({"root_id": "x" * 4_000_000}, "root_id"),
    ],
)
def test_filters_are_counted_before_they_are_looked_at(
    stub: TaskServiceStub, fields: dict[str, Any], field: str
) -> None:
    refusal = refused(stub.List, task_service_pb2.ListRequest(**fields))
    assert list(refusal.violations) == [field]


def test_a_long_id_is_refused_in_a_short_sentence(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Get, get("x" * 4_000_000))
    assert len(refusal.message) < 600


def test_large_arguments_come_back(stub: TaskServiceStub) -> None:
    value = list(range(100_000))
    task = stub.Submit(submit_text("demo.numbers", value), timeout=SECONDS).task
    answered = stub.Get(get(task.id), timeout=SECONDS).task
    assert [item.number_value for item in answered.args.values[0].list_value.values] == value
