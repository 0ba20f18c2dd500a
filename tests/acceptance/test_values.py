"""What goes in comes out: nothing is rounded, dropped or renamed on the way to a task and back."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from support.deployment import Deployment
from taskgate.client import Client, TaskNotFound
from taskgate.v1 import task_service_pb2


def nested(depth: int) -> Any:
    return {"list": [nested(depth - 1)]} if depth else None


VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "2^53": 2**53,
    "2^53 + 1": 2**53 + 1,
    "-2^53 - 1": -(2**53) - 1,
    "a hundred digits": int("123456789" * 11),
    "a fraction": 0.1,
    "a tiny number": 5e-324,
    "a huge number": 1.7976931348623157e308,
    "an empty text": "",
    "unicode": "żółć 漢字 🧑‍🚀 \u202eright to left",
    "control characters": "tab\tnewline\nbell\x07delete\x7fline\u2028",
    "an empty list": [],
    "an empty object": {},
    "an empty name": {"": ""},
    "nulls": [None, {"null": None}, [None]],
    "mixed": [1, "1", 1.5, True, None, {"1": [2**63, 2**64, -(2**70)]}],
    "deep": nested(60),
    "names that are ours": {"args": [1], "kwargs": {"a": 1}, "self": 1, "__type__": "datetime"},
}


def exactly(value: Any) -> str:
    """A text that is the same for the same values only: 1 is not 1.0 and not True."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_arguments_and_results_come_back_exactly(client: Client, value: Any) -> None:
    handle = client.submit("demo.echo", [value])
    task = handle.wait(30)
    assert exactly(task.args) == exactly([value])
    assert exactly(handle.result()) == exactly(value)


def test_keyword_arguments_come_back_exactly(client: Client) -> None:
    value = list(VALUES.values())
    task = client.submit("demo.echo", kwargs={"value": value}).wait(30)
    assert (task.args, exactly(task.kwargs)) == ([], exactly({"value": value}))
    assert exactly(task.result) == exactly(value)


def test_struct_arguments_reach_the_task_as_integers(deployment: Deployment) -> None:
    stub = deployment.stub()
    value: dict[str, Any] = {"whole": 3, "half": 0.5, "none": None, "list": [], "object": {}}
    request = task_service_pb2.SubmitRequest(task_type="demo.echo")
    request.args.values.add().struct_value.update(value)
    task = deployment.wait_final(stub, stub.Submit(request).task.id)
    assert task.arguments_json == ""
    assert task.args == request.args
    assert task.result == request.args.values[0]
    with deployment.database.read() as tx:
        stored = tx.exec_driver_sql(
            f"SELECT result FROM taskgate_tasks WHERE id = '{task.id}'"  # noqa: S608
        ).scalar_one()
    assert exactly(json.loads(stored)) == exactly(value)


def test_what_a_struct_cannot_carry_comes_as_text(deployment: Deployment) -> None:
    stub = deployment.stub()
    text = '{"args": [9007199254740993], "kwargs": {}}'
    request = task_service_pb2.SubmitRequest(task_type="demo.echo", arguments_json=text)
    task = deployment.wait_final(stub, stub.Submit(request).task.id)
    assert json.loads(task.arguments_json) == json.loads(text)
    assert not task.HasField("args")
    assert task.result_json == "9007199254740993"
    assert not task.HasField("result")


def test_no_arguments_are_no_arguments(client: Client) -> None:
    task = client.submit("journal.run").wait(30)
    assert (task.args, task.kwargs, task.result) == ([], {}, None)


def test_an_unknown_id_is_not_found(client: Client) -> None:
    with pytest.raises(TaskNotFound):
        client.task(str(uuid.uuid4())).get()
