"""What to compare with: stock Celery, and a gRPC handler that sends a message for each request.

The handler is what people write today; it speaks taskgate's Submit, so that one load drives both.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from celery import Celery

from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import (
    TaskServiceServicer,
    add_TaskServiceServicer_to_server,
)

app = Celery("stock", broker=os.environ["STOCK_BROKER"], backend=os.environ["STOCK_BACKEND"])
app.conf.imports = ["bench_tasks"]


class Handler(TaskServiceServicer):
    """Sends a message for each Submit."""

    def Submit(  # noqa: N802 - the proto's name
        self,
        request: task_service_pb2.SubmitRequest,
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> task_service_pb2.SubmitResponse:
        """Send the task to the broker and answer its id."""
        answer = task_service_pb2.SubmitResponse()
        answer.task.id = app.send_task(request.task_type).id
        return answer


def serve(address: str) -> None:
    """Serve until the process is ended."""
    server = grpc.server(ThreadPoolExecutor(16))
    add_TaskServiceServicer_to_server(Handler(), server)
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(sys.argv[1])
