"""Making one call: deadline, typed errors, and repeating it while the server is away."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

import grpc

from taskgate.client.backoff import Backoff, Deadline
from taskgate.client.errors import TaskgateError, Unavailable, error_from_call
from taskgate.client.transport import Transport
from taskgate.v1.reasons import Reason
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

Request = TypeVar("Request")
Response = TypeVar("Response")


class Caller:
    """Calls one server, always in the same way.

    Every call may be repeated: what submits carries a request id, the others change nothing twice.
    """

    def __init__(self, transport: Transport, timeout: float, retry_timeout: float | None) -> None:
        """``timeout``, ``retry_timeout``: in seconds, as ``Client`` takes them."""
        self.transport = transport
        self.timeout = timeout
        self._retry_timeout = timeout if retry_timeout is None else retry_timeout

    @property
    def stub(self) -> TaskServiceStub:
        """The calls."""
        return self.transport.stub

    async def call(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        more_time: float = 0.0,
    ) -> Response:
        """Make the call, and repeat it while the server is away.

        Args:
            method: one of ``stub``.
            request: its request.
            more_time: seconds beyond the usual deadline, where the server was asked to wait.

        Raises:
            TaskgateError: it did not do what was asked.
        """
        deadline = Deadline(self.timeout + more_time)
        retries = Deadline(self._retry_timeout + more_time)
        backoff = Backoff()
        while True:
            try:
                return await self.attempt(method, request, timeout=deadline.remaining)
            except TaskgateError as error:
                pause = backoff.after(error)
                if not self.is_away(error) or pause >= min(deadline.remaining, retries.remaining):
                    raise
            await self.transport.sleep(pause)

    async def attempt(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> Response:
        """Make the call once.

        Raises:
            TaskgateError: it did not do what was asked.
        """
        try:
            return await self.transport.unary(method, request, timeout=timeout)
        except grpc.RpcError as error:
            raise error_from_call(error) from error

    async def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> AsyncGenerator[Response]:
        """Make a call that answers many times, once; ``timeout``: seconds until its end.

        Raises:
            TaskgateError: it did not do what was asked, or broke.
        """
        try:
            async with aclosing(self.transport.stream(method, request, timeout=timeout)) as answers:
                async for response in answers:
                    yield response
        except grpc.RpcError as error:
            raise error_from_call(error) from error

    def is_away(self, error: TaskgateError) -> bool:
        """Whether nobody, or nobody free, was there to answer: the same call may work later."""
        is_away = isinstance(error, Unavailable) or error.reason == Reason.TOO_MANY_CALLS
        return is_away and not self.transport.closed
