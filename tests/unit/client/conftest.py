from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from support.scripted import Script
from taskgate.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server


@pytest.fixture
def script() -> Script:
    return Script()  # type: ignore[abstract] # the other calls answer UNIMPLEMENTED


@pytest.fixture
def address(script: Script) -> Iterator[str]:
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        add_TaskServiceServicer_to_server(script, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(grace=None).wait()
