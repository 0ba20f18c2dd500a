"""What every call goes through: who calls, can the request be read, and what do its errors mean."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_status import rpc_status

from taskgate.server.api.callers import authenticate, caller
from taskgate.server.api.errors import MalformedRequest, Unauthenticated
from taskgate.server.api.statuses import internal_status, meaning_of, status_of
from taskgate.server.api.tokens import Tokens

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]  # a generic type in the stubs only
    Context = grpc.aio.ServicerContext[Any, Any]

_OPEN_SERVICES = ("/grpc.health.v1.Health/",)
"""Load balancers and orchestrators have no tokens."""

_UNREADABLE = object()
"""Stands for a request that could not be decoded."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Authenticates callers, and answers errors as google.rpc.Status."""

    def __init__(self, tokens: Tokens | None) -> None:
        """``tokens``: None lets everyone call."""
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The call's handler with all of this around it."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_OPEN_SERVICES):
            return handler
        return self._guarded(handler, method)

    def _guarded(self, handler: Handler, method: str) -> Handler:
        read = _lenient(handler.request_deserializer)
        write = handler.response_serializer
        if handler.unary_unary is not None:
            call = self._unary(handler.unary_unary, method)
            return grpc.unary_unary_rpc_method_handler(call, read, write)
        if handler.unary_stream is not None:
            call = self._stream(handler.unary_stream, method)
            return grpc.unary_stream_rpc_method_handler(call, read, write)
        call = self._stream(handler.stream_stream, method)
        return grpc.stream_stream_rpc_method_handler(call, handler.request_deserializer, write)

    def _unary(self, behavior: Any, method: str) -> Any:
        async def call(request: Any, context: Context) -> Any:
            async with self._around(request, context, method):
                return await behavior(request, context)

        return call

    def _stream(self, behavior: Any, method: str) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self._around(request, context, method):
                async for response in behavior(request, context):
                    yield response

        return call

    @asynccontextmanager
    async def _around(self, request: Any, context: Context, method: str) -> AsyncIterator[None]:
        try:
            caller.set(authenticate(context.invocation_metadata() or (), self._tokens))
            _see_that_it_was_read(request)
            yield
        except Exception as exc:  # noqa: BLE001 - every error gets its answer here
            await context.abort_with_status(rpc_status.to_status(_status(exc, context, method)))


def _see_that_it_was_read(request: Any) -> None:
    if request is _UNREADABLE:
        raise MalformedRequest


def _lenient(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    # Of what cannot be decoded gRPC would say INTERNAL; but the fault is the client's.

    def read(data: bytes) -> Any:
        try:
            return deserialize(data) if deserialize else data
        except DecodeError:
            return _UNREADABLE

    return read


def _status(error: Exception, context: Context, method: str) -> status_pb2.Status:
    meaning = meaning_of(error)
    if meaning is None:
        incident = uuid.uuid4().hex[:12]
        logger.error("incident %s: %s failed", incident, method, exc_info=error)
        return internal_status(incident)
    if isinstance(error, Unauthenticated):
        logger.warning("%s refused to %s: %s", method, context.peer(), meaning.reason)
    if meaning.code is grpc.StatusCode.UNAVAILABLE:
        logger.warning("%s: %s", method, error)
    return status_of(error, meaning)
