"""Tokens: who may call, and under which name."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from support.requests import get, submit, watch
from support.serving import SECONDS, InProcessServer, refused
from support.tokens import bearer, line
from taskgate.server.settings import ServerSettings
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

NO_TASK = "0190b0a8-3c5e-7d43-9f0e-6a2b7c1d8e4f"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text("# who calls\n\n" + line("alice", "apple") + line("bob", "berry # old"))
    with path.open("a") as file:
        file.write(line("bob", "blueberry").replace("\n", "  # new\n"))
    return path


@pytest.fixture
def server(make_settings: Callable[..., ServerSettings], tokens: Path) -> Iterator[InProcessServer]:
    with InProcessServer(make_settings(taskgate_tokens_file=tokens)) as server:
        yield server


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ([], "TOKEN_MISSING"),
        ([("authorization", "apple")], "TOKEN_MISSING"),
        ([("authorization", "Basic apple")], "TOKEN_MISSING"),
        ([("authorization", "Bearer ")], "TOKEN_MISSING"),
        (bearer("grape"), "TOKEN_UNKNOWN"),
        (bearer(hashlib.sha256(b"apple").hexdigest()), "TOKEN_UNKNOWN"),
    ],
)
def test_without_a_token_nothing_is_done(
    stub: TaskServiceStub, metadata: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = refused(stub.Submit, submit(), metadata=metadata)
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert refusal.reason == reason
    assert "grape" not in caplog.text + refusal.message
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.Watch(watch({NO_TASK: 0}), metadata=metadata, timeout=SECONDS))
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_every_call_wants_a_token(stub: TaskServiceStub) -> None:
    for method in task_service_pb2.DESCRIPTOR.services_by_name["TaskService"].methods:
        if not method.server_streaming:
            request = GetMessageClass(method.input_type)()
            assert refused(getattr(stub, method.name), request).reason == "TOKEN_MISSING"


@pytest.mark.parametrize(
    ("token", "name"), [("apple", "alice"), ("blueberry", "bob"), ("berry # old", "bob")]
)
def test_the_token_names_the_caller(stub: TaskServiceStub, token: str, name: str) -> None:
    task = stub.Submit(submit(), metadata=bearer(token), timeout=SECONDS).task
    assert task.submitted_by == name
    request = task_service_pb2.AbortRequest(id=task.id)
    aborted = stub.Abort(request, metadata=(("authorization", f"bearer {token}"),), timeout=SECONDS)
    assert aborted.task.abort.by == name
    retry = task_service_pb2.RetryRequest(id=task.id)
    again = stub.Retry(retry, metadata=bearer(token), timeout=SECONDS)
    assert again.task.submitted_by == name


def test_request_ids_are_the_callers_own(stub: TaskServiceStub) -> None:
    request = submit(request_id="r")
    ids = [
        stub.Submit(request, metadata=bearer(token), timeout=SECONDS).task.id
        for token in ("apple", "berry # old", "blueberry", "apple")
    ]
    assert ids[0] == ids[3] != ids[1] == ids[2]


def test_health_needs_no_token(server: InProcessServer) -> None:
    health: Any = health_pb2_grpc.HealthStub(server.channel())
    for service in ("", "taskgate.v1.TaskService"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_needs_one(server: InProcessServer) -> None:
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(server.channel())
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    with pytest.raises(grpc.RpcError) as caught:
        list(reflection.ServerReflectionInfo(iter([request]), timeout=SECONDS))
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    [answer] = reflection.ServerReflectionInfo(
        iter([request]), metadata=bearer("apple"), timeout=SECONDS
    )
    names = {service.name for service in answer.list_services_response.service}
    assert {"taskgate.v1.TaskService", "grpc.health.v1.Health"} <= names


def test_a_changed_file_counts_at_once(stub: TaskServiceStub, tokens: Path) -> None:
    stub.ListWorkers(
        task_service_pb2.ListWorkersRequest(), metadata=bearer("apple"), timeout=SECONDS
    )
    new = tokens.with_suffix(".new")
    new.write_text(line("carol", "cherry"))
    new.rename(tokens)
    task = stub.Submit(submit(), metadata=bearer("cherry"), timeout=SECONDS).task
    assert task.submitted_by == "carol"
    assert refused(stub.Get, get(task.id), metadata=bearer("apple")).reason == "TOKEN_UNKNOWN"
    new.write_text("")
    new.rename(tokens)
    assert refused(stub.Get, get(task.id), metadata=bearer("cherry")).reason == "TOKEN_UNKNOWN"


@pytest.mark.parametrize("text", ["alice\n", "alice secret-in-the-clear\n", "\xff\xfe", None])
def test_a_broken_file_leaves_the_old_one_standing(
    stub: TaskServiceStub, tokens: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    new = tokens.with_suffix(".new")
    if text is None:
        tokens.unlink()
    else:
        new.write_text(text, "latin-1")
        new.rename(tokens)
    with caplog.at_level(logging.WARNING):
        task = stub.Submit(submit(), metadata=bearer("apple"), timeout=SECONDS).task
    assert task.submitted_by == "alice"
    assert "the tokens read before stay valid" in caplog.text
    assert "secret-in-the-clear" not in caplog.text
