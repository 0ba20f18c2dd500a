"""A server that answers Get as a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceServicer

STATUS_KEY = "grpc-status-details-bin"


@dataclass
class Script(TaskServiceServicer):
    """Answers Get by calling the steps, the last one for ever."""

    steps: list[Callable[[grpc.ServicerContext], task_pb2.Task]] = field(default_factory=list)
    calls: list[task_service_pb2.GetRequest] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def Get(  # noqa: N802 - the proto's name
        self, request: task_service_pb2.GetRequest, context: grpc.ServicerContext
    ) -> task_service_pb2.GetResponse:
        self.calls.append(request)
        self.tokens.extend(v for k, v in context.invocation_metadata() if k == "authorization")  # type: ignore[misc]
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return task_service_pb2.GetResponse(task=step(context))


def refuse(
    code: grpc.StatusCode, message: str, *details: Message
) -> Callable[[grpc.ServicerContext], NoReturn]:
    packed = [AnyMessage() for _ in details]
    for envelope, detail in zip(packed, details, strict=True):
        envelope.Pack(detail)
    status = status_pb2.Status(code=code.value[0], message=message, details=packed)

    def step(context: grpc.ServicerContext) -> NoReturn:
        context.set_trailing_metadata(((STATUS_KEY, status.SerializeToString()),))
        context.abort(code, message)

    return step


def info(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain="taskgate", metadata=metadata)


def answer(state: task_pb2.TaskState.ValueType) -> Callable[[grpc.ServicerContext], task_pb2.Task]:
    return lambda _context: task_pb2.Task(id="some-id", task_type="demo.add", state=state)
