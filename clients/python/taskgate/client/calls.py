"""Making one call: token, deadline, typed errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import grpc

from taskgate.client.errors import error_from_call
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

Request = TypeVar("Request")
Response = TypeVar("Response")


class Caller:
    """Calls one server, always in the same way."""

    def __init__(self, channel: grpc.Channel, token: str | None, timeout: float) -> None:
        """``timeout``: how long a call may take, in seconds.

        Raises:
            ValueError: the token cannot be sent.
        """
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("the token is not a line of printable ASCII")
        self.stub = TaskServiceStub(channel)
        self.timeout = timeout
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def call(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float | None = None,
    ) -> Response:
        """Make the call; ``timeout`` in seconds, instead of the usual one.

        Raises:
            TaskgateError: it did not do what was asked.
        """
        deadline = self.timeout if timeout is None else timeout
        try:
            return method(request, timeout=deadline, metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_from_call(error) from error

    def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> Iterator[Response]:
        """Make a call that answers many times; ``timeout``: seconds until its end.

        Raises:
            TaskgateError: it did not do what was asked, or broke.
        """
        call = method(request, timeout=timeout, metadata=self._metadata)
        try:
            yield from call
        except grpc.RpcError as error:
            raise error_from_call(error) from error
        finally:
            call.cancel()
