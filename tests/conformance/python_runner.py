"""Runs the scenarios over the Python stubs: python -m conformance.python_runner, see the README."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from conformance.scenario import Result, run_all
from taskgate.client.channel import endpoint
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

_STREAMS = {"Watch"}


def main(scenarios: str, address: str, run: str) -> None:
    """Run the scenarios against the server."""
    with endpoint(address, tls_ca=os.environ.get("TASKGATE_TLS_CA")).channel() as channel:
        stub = TaskServiceStub(channel)
        run_all(
            Path(scenarios),
            run,
            lambda method, request, timeout: _invoke(stub, method, request, timeout),
        )


def _invoke(stub: TaskServiceStub, method: str, request: str, timeout: float) -> Result:
    message = json_format.Parse(request, getattr(task_service_pb2, f"{method}Request")())
    call = getattr(stub, method)
    token = os.environ.get("TASKGATE_TOKEN")
    metadata = [("authorization", f"Bearer {token}")] if token else None
    try:
        answer = call(message, timeout=timeout, metadata=metadata)
        if method in _STREAMS:
            return {"responses": [as_json(found) for found in answer]}
        return {"response": as_json(answer)}
    except grpc.RpcError as error:
        return {"error": failure(cast("grpc.Call", error))}  # as every error of a call is


def as_json(message: Message) -> dict[str, object]:
    """The message in proto JSON."""
    return json_format.MessageToDict(message)


def failure(error: grpc.Call) -> dict[str, object]:
    """What the runner's result says of an error."""
    status = rpc_status.from_call(error) or status_pb2.Status()
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(request)
    return {
        "code": error.code().name,
        "reason": info.reason,
        "fields": [violation.field for violation in request.field_violations],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
