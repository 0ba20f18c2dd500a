"""A server in this process, over real gRPC on a loopback port, and what its tests say to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from taskgate.store import task_types, workers
from taskgate.store.database.engine import Database
from taskgate.testing.serving import ServerThread
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

WORKER = "worker@here"
SECONDS = 20
"""The deadline of calls that should be answered at once."""


class InProcessServer(ServerThread):
    """The test kit's server in a thread, and channels to it."""

    server: Any  # its tests look inside

    def channel(self, credentials: grpc.ChannelCredentials | None = None) -> grpc.Channel:
        """A channel to the server, closed before it stops."""
        channel = (
            grpc.insecure_channel(self.address)
            if credentials is None
            else grpc.secure_channel(self.address, credentials)
        )
        self.exits.callback(channel.close)
        return channel

    def stub(self) -> TaskServiceStub:
        return TaskServiceStub(self.channel())


class Refusal:
    """What a refused call was answered."""

    def __init__(self, error: grpc.RpcError) -> None:
        assert isinstance(error, grpc.Call)
        self.code: grpc.StatusCode = error.code()
        self.message: str = error.details() or ""
        self._status: status_pb2.Status = status_pb2.Status()
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                assert isinstance(value, bytes)
                self._status.ParseFromString(value)

    @property
    def reason(self) -> str:
        info = self._detail(error_details_pb2.ErrorInfo())
        assert info.domain == "taskgate"
        return str(info.reason)

    @property
    def metadata(self) -> Mapping[str, str]:
        return dict(self._detail(error_details_pb2.ErrorInfo()).metadata)

    @property
    def violations(self) -> dict[str, str]:
        """The descriptions by field."""
        found = self._detail(error_details_pb2.BadRequest()).field_violations
        return {violation.field: violation.description for violation in found}

    @property
    def retry_delay(self) -> timedelta:
        delay: timedelta = self._detail(error_details_pb2.RetryInfo()).retry_delay.ToTimedelta()
        return delay

    def _detail(self, empty: Message) -> Any:
        for detail in self._status.details:
            if detail.Unpack(empty):
                return empty
        raise AssertionError(f"no {type(empty).__name__} in {self._status}")


def refused(call: Any, request: Message, **options: Any) -> Refusal:
    """Make a call that must be refused; the refusal."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=SECONDS, **options)
    return Refusal(caught.value)


def is_unavailable(error: BaseException) -> bool:
    """Whether a call failed because nobody answered, now; another error is raised."""
    assert isinstance(error, grpc.RpcError)
    if Refusal(error).code is not grpc.StatusCode.UNAVAILABLE:
        raise error
    return True


def register(database: Database, name: str, *parameters: Mapping[str, Any], **values: Any) -> None:
    """Register a task type, as a worker does when it starts."""
    definition = {"doc": "", "queue": None, "parameters": list(parameters), "defs": {}, **values}
    with database.write() as tx:
        task_types.register(tx, name, definition, WORKER)


def parameter(
    name: str,
    schema: Mapping[str, Any] | None = None,
    *,
    kind: str = "POSITIONAL_OR_KEYWORD",
    required: bool = True,
) -> dict[str, Any]:
    """A parameter of a task type's definition."""
    return {"name": name, "kind": kind, "required": required, "schema": dict(schema or {})}


def start_worker(
    database: Database,
    worker_id: str = WORKER,
    *,
    queues: Sequence[str] = ("celery",),
    **details: Any,
) -> None:
    """Put a worker on record."""
    with database.write() as tx:
        values = {"queues": list(queues), "pool": "prefork", "can_force": False, **details}
        workers.start(tx, worker_id, values, timedelta(minutes=5))
