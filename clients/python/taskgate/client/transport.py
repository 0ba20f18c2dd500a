"""The only two ways to wait: in a thread, or in an event loop.

Everything else in the client is written once, as coroutines over a Transport. Those over
BlockingTransport wait inside their calls and never suspend, so ``run`` and ``iterate`` bring them
to their end without an event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Generator, Iterable
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

import grpc
from grpc_health.v1 import health_pb2_grpc

from taskgate.client.channel import Endpoint
from taskgate.client.tracing import with_trace
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

Request = TypeVar("Request")
Response = TypeVar("Response")
Result = TypeVar("Result")


class Transport(Protocol):
    """Makes calls on one connection, and waits. Calls raise ``grpc.RpcError``."""

    @property
    def stub(self) -> TaskServiceStub: ...

    @property
    def health(self) -> Any: ...

    @property
    def closed(self) -> bool:
        """The connection was closed on this side."""

    @property
    def server_version(self) -> str:
        """That of the server that answered last; empty before a first answer."""

    async def unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> Response: ...

    def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> AsyncGenerator[Response]: ...

    async def sleep(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


class BlockingTransport:
    """Waits in the calling thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._channel = endpoint.channel()
        self._metadata = endpoint.metadata
        self.stub = TaskServiceStub(self._channel)
        self.health: Any = health_pb2_grpc.HealthStub(self._channel)
        self.closed = False
        self.server_version = ""

    async def unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> Response:
        try:
            response, call = method.with_call(
                request, timeout=timeout, metadata=with_trace(self._metadata)
            )
        except grpc.RpcError as error:
            if isinstance(error, grpc.Call):
                self.server_version = _version(error.trailing_metadata()) or self.server_version
            raise
        self.server_version = _version(call.trailing_metadata()) or self.server_version
        return response

    async def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> AsyncGenerator[Response]:
        call = method(request, timeout=timeout, metadata=with_trace(self._metadata))
        try:
            for response in call:
                yield response
        finally:
            call.cancel()

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - no event loop runs this

    async def close(self) -> None:
        self.closed = True
        self._channel.close()


class AsyncTransport:
    """Waits in the event loop that makes the first call."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.closed = False
        self.server_version = ""

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        # Not before there is an event loop: clients may be made where none runs yet.
        return self._endpoint.aio_channel()

    @cached_property
    def stub(self) -> TaskServiceStub:
        return cast("TaskServiceStub", TaskServiceStub(self._channel))

    @cached_property
    def health(self) -> Any:
        stub: Any = health_pb2_grpc.HealthStub
        return stub(self._channel)

    async def unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> Response:
        call: Any = method(request, timeout=timeout, metadata=with_trace(self._endpoint.metadata))
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            self.server_version = _version(error.trailing_metadata()) or self.server_version
            raise
        self.server_version = _version(await call.trailing_metadata()) or self.server_version
        return cast("Response", response)

    async def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        *,
        timeout: float,
    ) -> AsyncGenerator[Response]:
        call: Any = method(request, timeout=timeout, metadata=with_trace(self._endpoint.metadata))
        try:
            async for response in call:
                yield response
        finally:
            call.cancel()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        self.closed = True
        await self._channel.close()


def _version(trailing: Iterable[tuple[str, Any]] | None) -> str:
    """The server's version; empty if it was not the server who answered."""
    # Not as a dict: grpcio's own Metadata, of older versions, gives pairs for its keys.
    return next((str(value) for name, value in trailing or () if name == "taskgate-version"), "")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine over a BlockingTransport, which never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast("Result", end.value)
    coroutine.close()
    raise RuntimeError("a coroutine over a blocking transport suspended")


def iterate(items: AsyncGenerator[Result]) -> Generator[Result]:
    """The items of a generator over a BlockingTransport, which never suspends."""
    try:
        while True:
            try:
                item = run(items.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(items.aclose())
