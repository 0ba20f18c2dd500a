"""What bad input gets: the status code, the reason, and the field with its value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from support.records import submitted_in, upgraded
from support.requests import duration, submit
from support.serving import SECONDS, InProcessServer, parameter, refused, register, start_worker
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import FINAL, State
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NO_TASK = "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"
PAYLOAD = 16_384


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = upgraded(f"sqlite:///{tmp_path_factory.mktemp('bad') / 'record.db'}")
    number, text = {"type": "number"}, {"type": "string", "maxLength": 5}
    register(database, "demo.add", parameter("x", number), parameter("y", number))
    register(database, "demo.echo", parameter("value"))
    register(database, "demo.countdown", parameter("seconds", number))
    register(
        database,
        "demo.kinds",
        parameter("first", text, kind="POSITIONAL_ONLY"),
        parameter("second", text),
        parameter("rest", number, kind="VAR_POSITIONAL", required=False),
        parameter("named", {"$ref": "#/$defs/Point"}, kind="KEYWORD_ONLY"),
        parameter("others", number, kind="VAR_KEYWORD", required=False),
        defs={"Point": {"type": "object", "properties": {"x": number}, "required": ["x"]}},
    )
    start_worker(database, queues=["celery", "slow"])
    yield database
    database.close()


@pytest.fixture(scope="module")
def server(record: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    folder: Path = tmp_path_factory.mktemp("broker")
    settings = ServerSettings(
        celery_broker_url=f"sqla+sqlite:///{folder / 'broker.db'}",
        postgres_url=str(record.url),
        taskgate_address="127.0.0.1:0",
        taskgate_max_payload_bytes=PAYLOAD,
    )
    with InProcessServer(settings) as server:
        yield server


@pytest.fixture(scope="module")
def stub(server: InProcessServer) -> TaskServiceStub:
    return server.stub()


def policy(**values: Any) -> dict[str, Any]:
    return {"retry_policy": task_pb2.RetryPolicy(**values)}


FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"delay": duration(-1)}, "delay", "-1 s is negative"),
    ({"delay": duration(1e10)}, "delay", "longer than ten years"),
    ({"delay": {"seconds": 1, "nanos": -1}}, "delay", "nanos -1 does not fit seconds 1"),
    ({"delay": {}, "schedule_time": {}}, "delay", "delay or schedule_time, not both"),
    ({"schedule_time": {"seconds": 1 << 60}}, "schedule_time", "is no time"),
    ({"schedule_time": {"seconds": 40_000_000_000}}, "schedule_time", "later than the year 3000"),
    ({"ttl": duration(0)}, "ttl", "0 s is too short"),
    ({"ttl": duration(-2)}, "ttl", "-2 s is negative"),
    ({"ttl": duration(1), "expire_time": {}}, "ttl", "ttl or expire_time, not both"),
    ({"schedule_time": {"seconds": 9}, "expire_time": {"seconds": 9}}, "expire_time", "before it"),
    ({"run_timeout": duration(0)}, "run_timeout", "0 s is too short"),
    ({"priority": 10}, "priority", "10 is not within 0 to 9"),
    ({"priority": -1}, "priority", "-1 is not within 0 to 9"),
    ({"queue": "celeryev.x"}, "queue", '"celeryev.x" is a name that Celery'),
    ({"queue": "amq.direct"}, "queue", '"amq.direct" is a name that Celery'),
    ({"queue": "celery@host.celery.pidbox"}, "queue", "reserves"),
    ({"queue": "slwo"}, "queue", "did you mean 'slow'?"),
    ({"queue": "é" * 128}, "queue", "longer than 255 bytes"),
    ({"queue": "a\0b"}, "queue", "cannot be printed"),
    ({"queue": "nobody's"}, "queue", "TASKGATE_QUEUES"),
    ({"labels": {"k" * 64: "v"}}, f"labels.{'k' * 64}", "64 characters are too long"),
    ({"labels": {"k": "v" * 64}}, "labels.k", "64 characters are too long"),
    ({"labels": {"": "v"}}, "labels", "an empty key"),
    ({"labels": {"k": "a\0"}}, "labels.k", "NUL"),
    ({"labels": {str(number): "" for number in range(33)}}, "labels", "33 labels are too many"),
    ({"request_id": "r" * 129}, "request_id", "129 characters are too long"),
    ({"request_id": "\0"}, "request_id", "NUL"),
    (policy(max_attempts=-1), "retry_policy.max_attempts", "-1 is not within"),
    (policy(max_attempts=1001), "retry_policy.max_attempts", "1001 is not within"),
    (policy(backoff_multiplier=0.5), "retry_policy.backoff_multiplier", "0.5 is neither"),
    (policy(backoff_multiplier=float("nan")), "retry_policy.backoff_multiplier", "nan is neither"),
    (policy(initial_backoff=duration(-1)), "retry_policy.initial_backoff", "-1 s is negative"),
    (policy(max_backoff=duration(-1)), "retry_policy.max_backoff", "-1 s is negative"),
    (
        policy(non_retryable_errors=["ValueError", "no name"]),
        "retry_policy.non_retryable_errors[1]",
        '"no name" is no exception\'s name',
    ),
]


@pytest.mark.parametrize(("fields", "field", "words"), FIELDS)
def test_a_wrong_field_is_named(
    stub: TaskServiceStub, fields: dict[str, Any], field: str, words: str
) -> None:
    refusal = refused(stub.Submit, submit(**fields))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.reason == "FIELD_INVALID"
    assert list(refusal.violations) == [field]
    assert words in refusal.violations[field]
    assert words in refusal.message


ARGUMENTS: list[tuple[str, str, dict[str, str]]] = [
    ("demo.add", '{"args": [1]}', {"kwargs.y": "'y' is missing"}),
    ("demo.add", "{}", {"kwargs.x": "'x' is missing", "kwargs.y": "'y' is missing"}),
    ("demo.add", '{"args": [1, 2, 3]}', {"args": "3 were given, and at most 2 are taken"}),
    ("demo.add", '{"args": [1, 2], "kwargs": {"x": 1}}', {"kwargs.x": "by position too"}),
    ("demo.add", '{"args": [1, 2], "kwargs": {"z": 1}}', {"kwargs.z": "no parameter 'z'"}),
    ("demo.countdown", '{"kwargs": {"secods": 1, "seconds": 1}}', {"kwargs.secods": "'seconds'?"}),
    (
        "demo.countdown",
        '{"kwargs": {"seconds": "abc"}}',
        {"kwargs.seconds": '"abc" is not'},
    ),
    ("demo.add", '{"args": ["a", null]}', {"args[0]": "number", "args[1]": "null"}),
    ("demo.kinds", '{"args": ["a", "b"]}', {"kwargs.named": "missing"}),
    (
        "demo.kinds",
        '{"args": ["toolong", "b", 1, "c"], "kwargs": {"named": {"x": []}, "o": "d"}}',
        {
            "args[0]": "5 characters",
            "args[3]": "number",
            "kwargs.named.x": "number",
            "kwargs.o": "number",
        },
    ),
    ("demo.kinds", '{"kwargs": {"second": "b", "named": {"x": 1}}}', {"args": "by position only"}),
    ("demo.add", "{", {"arguments_json": "Expecting"}),
    ("demo.add", "[]", {"arguments_json": "is no object"}),
    ("demo.add", '{"args": {}}', {"arguments_json": "args is {}, which is no list"}),
    ("demo.add", '{"kwargs": []}', {"arguments_json": "kwargs is [], which is no object"}),
    ("demo.add", '{"arg": []}', {"arguments_json": '["arg"] is unknown'}),
    ("demo.add", '{"args": [NaN, 1]}', {"arguments_json": "NaN is not JSON"}),
    ("demo.add", '{"args": [-Infinity, 1]}', {"arguments_json": "-Infinity is not JSON"}),
    ("demo.add", '{"args": [1e999, 1]}', {"arguments_json": "beyond the numbers"}),
    ("demo.echo", '{"args": [{"a": 1, "a": 2}]}', {"arguments_json": '"a" more than once'}),
    ("demo.echo", f'{{"args": {"[" * 200}{"]" * 200}}}', {"arguments_json": "more than 200 deep"}),
    ("demo.echo", "[" * 3000, {"arguments_json": "more than 200 deep"}),
    ("demo.echo", f'{{"args": [{"9" * 4000}9{"9" * 400}]}}', {"arguments_json": "4300 digits"}),
]


@pytest.mark.parametrize(("task_type", "text", "violations"), ARGUMENTS)
def test_arguments_that_do_not_fit(
    stub: TaskServiceStub, task_type: str, text: str, violations: dict[str, str]
) -> None:
    refusal = refused(stub.Submit, submit(task_type, arguments_json=text))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert refusal.violations.keys() == violations.keys()
    for field, words in violations.items():
        assert words in refusal.violations[field]


def test_values_that_are_not_json(stub: TaskServiceStub) -> None:
    request = submit("demo.add")
    request.args.values[0].number_value = float("nan")
    request.kwargs.fields["y"].list_value.values.add()
    refusal = refused(stub.Submit, request)
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert refusal.violations == {"args": "NaN is not JSON", "kwargs": "a Value has no kind"}


def test_both_kinds_of_arguments(stub: TaskServiceStub) -> None:
    request = submit("demo.add")
    request.arguments_json = '{"args": [1, 2]}'
    refusal = refused(stub.Submit, request)
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert "not both" in refusal.violations["args"]


def test_an_unknown_task_type_gets_the_nearest_names(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Submit, submit("demo.ad"))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.reason == "TASK_TYPE_UNKNOWN"
    assert "\"demo.ad\": did you mean 'demo.add'" in refusal.violations["task_type"]


def test_no_task_type(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Submit, submit(""))
    assert refusal.reason == "TASK_TYPE_UNKNOWN"
    assert "it is empty" in refusal.violations["task_type"]


def test_everything_wrong_is_told_at_once(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Submit, submit("demo.add", "a", priority=10, delay=duration(-1)))
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert set(refusal.violations) == {"args[0]", "kwargs.y", "priority", "delay"}


def test_a_thousand_violations_fit_into_an_answer(stub: TaskServiceStub) -> None:
    request = submit("demo.add", priority=99)
    for number in range(300):
        request.kwargs.fields[f"{number}-é"].null_value = 0  # type: ignore[assignment]
    refusal = refused(stub.Submit, request)
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert 5 < len(refusal.violations) <= 32


def test_a_payload_over_the_limit(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Submit, submit("demo.echo", "x" * PAYLOAD))
    assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refusal.reason == "PAYLOAD_TOO_LARGE"
    assert refusal.metadata == {"size_bytes": str(PAYLOAD + 25), "limit_bytes": str(PAYLOAD)}


def test_bytes_that_are_no_message(server: InProcessServer) -> None:
    call: Any = server.channel().unary_unary(
        "/taskgate.v1.TaskService/Submit", request_serializer=lambda _: b"\xff"
    )
    refusal = refused(call, task_service_pb2.SubmitRequest())
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.reason == "REQUEST_MALFORMED"


def test_an_unknown_call(server: InProcessServer) -> None:
    call: Any = server.channel().unary_unary(
        "/taskgate.v1.TaskService/Nothing", request_serializer=lambda _: b""
    )
    refusal = refused(call, task_service_pb2.SubmitRequest())
    assert refusal.code is grpc.StatusCode.UNIMPLEMENTED


IDS: list[tuple[str, Any]] = [
    ("Get", task_service_pb2.GetRequest),
    ("Retry", task_service_pb2.RetryRequest),
    ("Abort", task_service_pb2.AbortRequest),
]


@pytest.mark.parametrize(("call", "request_type"), IDS)
@pytest.mark.parametrize("task_id", ["", "x" * 256, f"{NO_TASK}\0"])
def test_a_malformed_id(stub: TaskServiceStub, call: str, request_type: Any, task_id: str) -> None:
    refusal = refused(getattr(stub, call), request_type(id=task_id))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.reason == "FIELD_INVALID"
    assert "is no task id" in refusal.violations["id"]


@pytest.mark.parametrize(("call", "request_type"), IDS)
@pytest.mark.parametrize(
    "task_id", [NO_TASK, "1", "x" * 255, NO_TASK.replace("-", ""), f"{NO_TASK}\n"]
)
def test_an_unknown_id(stub: TaskServiceStub, call: str, request_type: Any, task_id: str) -> None:
    refusal = refused(getattr(stub, call), request_type(id=task_id))
    assert refusal.code is grpc.StatusCode.NOT_FOUND
    assert refusal.reason == "TASK_NOT_FOUND"
    assert refusal.metadata == {"task_id": task_id}


def test_an_unknown_id_is_not_waited_for(stub: TaskServiceStub) -> None:
    request = task_service_pb2.GetRequest(id=NO_TASK, wait=duration(60))
    assert refused(stub.Get, request).code is grpc.StatusCode.NOT_FOUND


def test_a_negative_wait(stub: TaskServiceStub) -> None:
    request = task_service_pb2.GetRequest(id=NO_TASK, wait=duration(-1))
    assert refused(stub.Get, request).violations == {
        "wait": "-1 s is negative; it must be 0 s or longer"
    }


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_retry_of_a_task_that_is_not_final(
    stub: TaskServiceStub, record: Database, state: State
) -> None:
    with record.write() as tx:
        task_id = submitted_in(tx, state)
    refusal = refused(stub.Retry, task_service_pb2.RetryRequest(id=task_id))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.reason == "TASK_NOT_FINAL"
    assert refusal.metadata == {"task_id": task_id, "state": state}


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.EXPIRED])
def test_abort_of_a_final_task(stub: TaskServiceStub, record: Database, state: State) -> None:
    with record.write() as tx:
        task_id = submitted_in(tx, state)
    refusal = refused(stub.Abort, task_service_pb2.AbortRequest(id=task_id))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.reason == "TASK_ALREADY_FINAL"
    assert refusal.metadata == {"task_id": task_id, "state": state}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": "r" * 1001}, "reason"),
        ({"reason": "a\0"}, "reason"),
        ({"force": True, "grace_period": duration(-1)}, "grace_period"),
    ],
)
def test_a_wrong_abort(stub: TaskServiceStub, fields: dict[str, Any], field: str) -> None:
    refusal = refused(stub.Abort, task_service_pb2.AbortRequest(id=NO_TASK, **fields))
    assert refusal.reason == "FIELD_INVALID"
    assert list(refusal.violations) == [field]


def test_arguments_of_a_retry_that_does_not_replace_any(
    stub: TaskServiceStub, record: Database
) -> None:
    with record.write() as tx:
        task_id = submitted_in(tx, State.SUCCEEDED)
    request = task_service_pb2.RetryRequest(id=task_id, arguments_json='{"args": [3, 4]}')
    refusal = refused(stub.Retry, request)
    assert refusal.reason == "FIELD_INVALID"
    assert list(refusal.violations) == ["replace_arguments"]


def test_replaced_arguments_must_fit(stub: TaskServiceStub, record: Database) -> None:
    with record.write() as tx:
        task_id = submitted_in(tx, State.SUCCEEDED)
    request = task_service_pb2.RetryRequest(id=task_id, replace_arguments=True)
    refusal = refused(stub.Retry, request)
    assert refusal.reason == "ARGUMENTS_INVALID"
    assert set(refusal.violations) == {"kwargs.x", "kwargs.y"}


def test_good_input_is_taken(stub: TaskServiceStub) -> None:
    """The other tests could not tell a server that refuses everything."""
    request = submit(
        "demo.kinds",
        arguments_json='{"args": ["a", "b", 1], "kwargs": {"named": {"x": 1}, "z": 2}}',
        queue="slow",
        priority=9,
        delay=duration(0),
        ttl=duration(60),
        run_timeout=duration(1),
        labels={"k" * 63: "v" * 63},
        request_id="r" * 128,
        **policy(max_attempts=3, backoff_multiplier=1, non_retryable_errors=["a.b.Error"]),
    )
    task = stub.Submit(request, timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_QUEUED
    assert task.max_attempts == 3
