"""The ceiling of gRPC in Python: a server that answers each call with one message, always the same.

``echo.py ADDRESS CALL FILE``: the file holds the answer's bytes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import grpc

from taskgate.v1 import task_service_pb2


async def serve(address: str, call: str, answer_bytes: bytes) -> None:
    """Serve until the process is ended; the messages are read and written as a servicer's are."""
    request_class = getattr(task_service_pb2, f"{call}Request")
    answer = getattr(task_service_pb2, f"{call}Response").FromString(answer_bytes)

    async def handle(_request: Any, _context: Any) -> Any:
        return answer

    handler = grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=request_class.FromString,
        response_serializer=type(answer).SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("taskgate.v1.TaskService", {call: handler})]
    )
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_bytes()))
