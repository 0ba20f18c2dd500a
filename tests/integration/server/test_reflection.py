"""Reflection: what grpcurl and its like see, by both versions' names."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2

from support.require import require
from support.serving import SECONDS, InProcessServer

VERSIONS = ["v1", "v1alpha"]


def ask(server: InProcessServer, version: str, **request: Any) -> Any:
    call: Any = server.channel().stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    [answer] = call(iter([reflection_pb2.ServerReflectionRequest(**request)]), timeout=SECONDS)
    return answer


def grpcurl(server: InProcessServer, *arguments: str) -> str:
    command: list[str | Path] = [require("grpcurl"), "-plaintext", server.address, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


@pytest.mark.parametrize("version", VERSIONS)
def test_services(server: InProcessServer, version: str) -> None:
    answer = ask(server, version, list_services="")
    assert [one.name for one in answer.list_services_response.service] == [
        "externalscaler.ExternalScaler",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "taskgate.v1.TaskService",
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("symbol", "file"),
    [
        ("taskgate.v1.TaskService", "taskgate/v1/task_service.proto"),
        ("taskgate.v1.TaskService.Submit", "taskgate/v1/task_service.proto"),
        ("taskgate.v1.Task", "taskgate/v1/task.proto"),
        ("taskgate.v1.Task.state", "taskgate/v1/task.proto"),
        ("taskgate.v1.Task.LabelsEntry", "taskgate/v1/task.proto"),
        ("taskgate.v1.TASK_STATE_QUEUED", "taskgate/v1/task.proto"),
        ("google.rpc.Status", "google/rpc/status.proto"),
        ("grpc.health.v1.Health.Watch", "grpc_health/v1/health.proto"),
        ("grpc.reflection.v1.ServerReflectionRequest", "grpc/reflection/v1/reflection.proto"),
    ],
)
def test_symbols(server: InProcessServer, version: str, symbol: str, file: str) -> None:
    response = ask(server, version, file_containing_symbol=symbol).file_descriptor_response
    first, *imports = map(FileDescriptorProto.FromString, response.file_descriptor_proto)
    assert first.name == file
    assert {*first.dependency} <= {one.name for one in imports}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "request_",
    [
        {"file_containing_symbol": "taskgate.v1.Nothing"},
        {"file_by_filename": "nothing.proto"},
        {"all_extension_numbers_of_type": "taskgate.v1.Nothing"},
        {"file_containing_extension": {"containing_type": "x", "extension_number": 1}},
        {},
    ],
)
def test_what_is_not_there(server: InProcessServer, version: str, request_: Any) -> None:
    assert ask(server, version, **request_).error_response.error_code == 5


def test_grpcurl_describes_with_the_comments(server: InProcessServer) -> None:
    described = grpcurl(server, "describe", "taskgate.v1.TaskService.Submit")
    assert "// Records a task and has it run." in described
    assert "rpc Submit ( .taskgate.v1.SubmitRequest ) returns" in described
    assert "// The Celery name of the function to run" in grpcurl(
        server, "describe", "taskgate.v1.SubmitRequest"
    )
    for service in grpcurl(server, "list").split():
        assert grpcurl(server, "describe", service)
