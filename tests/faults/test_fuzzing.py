"""Requests with anything in their fields are answered or refused: never INTERNAL, never late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.fuzzing import Texts, json_texts, messages
from support.records import submitted_in, upgraded
from support.requests import submit
from support.serving import SECONDS, InProcessServer, Refusal, parameter, register, start_worker
from taskgate.server.settings import ServerSettings
from taskgate.store.lifecycle import State
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

METHODS = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"].methods

EXPECTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}

ARGUMENTS = [
    '{"args": [1, 2]}',
    '{"args": [1, 2], "kwargs": {}}',
    "",
    '{"args": [1e400, -0.0, 123456789012345678901234567890]}',
    '{"args": ["\\ud800", 1], "args": []}',
    '{"kwargs": {"x": NaN, "y": [[[[]]]]}}',
    "[" * 2_000,
    "\ufeff{}",
]

WATCH_SECONDS = 0.2
"""A Watch of tasks that do not change has nothing to say."""


@pytest.mark.parametrize(
    ("url", "examples"),
    [("sqlite_url", 8), ("sqlite_url", 300), ("postgres_url", 300)],
    ids=["a few", "sqlite", "postgresql"],
)
@pytest.mark.timeout(900)
def test_each_request_is_answered_or_refused(
    request: pytest.FixtureRequest, tmp_path: Path, url: str, examples: int
) -> None:
    database_url = request.getfixturevalue(url)
    texts = prepare(database_url)
    served = ServerSettings(
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        postgres_url=database_url,
        taskgate_address="127.0.0.1:0",
        taskgate_max_wait_seconds=0.1,
    )
    with InProcessServer(served) as server:
        stub = server.stub()
        for method in METHODS:
            fuzz(stub, method.name, GetMessageClass(method.input_type), texts, examples)
        stub.Submit(submit(), timeout=SECONDS)
        list_all(stub)


def prepare(database_url: str) -> Texts:
    """A record with something of everything, and how requests name it."""
    database = upgraded(database_url)
    register(database, "demo.add", parameter("x"), parameter("y"))
    kinds = {"args": "VAR_POSITIONAL", "kwargs": "VAR_KEYWORD"}
    anything = [parameter(name, kind=kind, required=False) for name, kind in kinds.items()]
    register(database, "demo.loose", *anything)
    start_worker(database)
    with database.write() as tx:
        ids = [submitted_in(tx, state, labels={"team": "a"}) for state in State]
    database.close()
    types = st.sampled_from(["demo.add", "demo.loose", "demo.loose", "demo.other"])
    known = st.sampled_from(ids)
    return {
        "task_type": types,
        "task_types": types,
        "queue": st.sampled_from(["celery", "other"]),
        "queues": st.sampled_from(["celery", "other"]),
        "id": known,
        "root_id": known,
        "id_prefix": known.map(lambda one: one[:8]),
        "request_id": st.sampled_from(["one", "two"]),
        "arguments_json": st.sampled_from(ARGUMENTS) | json_texts(),
    }


def fuzz(stub: TaskServiceStub, method: str, kind: type[Any], texts: Texts, examples: int) -> None:
    call: Callable[..., Any] = getattr(stub, method)

    @settings(
        max_examples=examples,
        derandomize=examples < 100,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(messages(kind, texts))
    def answered(request: Any) -> None:
        if method == "Watch":
            code = code_of(lambda: list(call(request, timeout=WATCH_SECONDS)))
            assert code in EXPECTED | {grpc.StatusCode.DEADLINE_EXCEEDED}
        else:
            assert code_of(lambda: call(request, timeout=SECONDS)) in EXPECTED

    answered()


def code_of(call: Callable[[], object]) -> grpc.StatusCode:
    try:
        call()
    except grpc.RpcError as error:
        return Refusal(error).code
    return grpc.StatusCode.OK


def list_all(stub: TaskServiceStub) -> None:
    """Whatever was recorded can be read."""
    request = task_service_pb2.ListRequest(view=task_service_pb2.TASK_VIEW_FULL)
    while True:
        page = stub.List(request, timeout=SECONDS)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
