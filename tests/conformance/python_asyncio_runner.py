"""The Python runner in an event loop: python -m conformance.python_asyncio_runner."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

import grpc
from google.protobuf import json_format

from conformance.python_runner import as_json, failure
from conformance.scenario import Result, run_all
from taskgate.client.channel import Endpoint, endpoint
from taskgate.client.transport import AsyncTransport
from taskgate.v1 import task_service_pb2


def main(scenarios: str, address: str, run: str) -> None:
    """Run the scenarios against the server."""
    token = os.environ.get("TASKGATE_TOKEN")
    where = endpoint(
        address, token=token, plain_text_token=True, tls_ca=os.environ.get("TASKGATE_TLS_CA")
    )
    with asyncio.Runner() as loop:
        transport = loop.run(_connect(where))
        run_all(
            Path(scenarios),
            run,
            lambda method, request, timeout: loop.run(_invoke(transport, method, request, timeout)),
        )
        loop.run(transport.close())


async def _connect(where: Endpoint) -> AsyncTransport:
    return AsyncTransport(where)


async def _invoke(
    transport: AsyncTransport,
    method: str,
    request: str,
    timeout: float,  # noqa: ASYNC109 - gRPC's
) -> Result:
    message = json_format.Parse(request, getattr(task_service_pb2, f"{method}Request")())
    call: Any = getattr(transport.stub, method)
    try:
        if method == "Watch":
            stream = transport.stream(call, message, timeout=timeout)
            return {"responses": [as_json(found) async for found in stream]}
        return {"response": as_json(await transport.unary(call, message, timeout=timeout))}
    except grpc.RpcError as error:
        return {"error": failure(cast("grpc.Call", error))}


if __name__ == "__main__":
    main(*sys.argv[1:])
