"""What every call goes through: who calls, can the request be read, and what do its errors mean."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_status import rpc_status

from taskgate.server.api.authentication import Tokens, authenticate, caller
from taskgate.server.api.statuses import internal_status, meaning_of, status_of
from taskgate.server.errors import MalformedRequest, RequestError, Unauthenticated

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]  # a generic type in the stubs only
    Context = grpc.aio.ServicerContext[Any, Any]

_OPEN_SERVICES = ("/grpc.health.v1.Health/",)
"""Load balancers and orchestrators have no tokens."""

_UNREADABLE = object()
"""Stands for a request that could not be decoded."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Authenticates callers by their metadata, and answers errors as google.rpc.Status.

    A call's handler is chosen before its message is read, so that a stranger's message never is.
    Handlers are made once a method, not once a call.
    """

    def __init__(self, tokens: Tokens | None) -> None:
        """``tokens``: None lets everyone call."""
        self._tokens = tokens
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The call's handler, with the caller's name in its context; or one that refuses."""
        method = handler_call_details.method
        if method.startswith(_OPEN_SERVICES):
            return await continuation(handler_call_details)
        try:
            caller.set(authenticate(handler_call_details.invocation_metadata or (), self._tokens))
        except Unauthenticated as exc:
            return _refusal(exc, method)
        if method not in self._guarded:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            self._guarded[method] = _guarded(handler, method)
        return self._guarded[method]


def _refusal(error: RequestError, method: str) -> Handler:
    """A handler that answers with the error and reads no message."""

    async def refuse(_requests: AsyncIterator[bytes], context: Context) -> None:
        await context.abort_with_status(rpc_status.to_status(_status(error, context, method)))

    return grpc.stream_stream_rpc_method_handler(refuse)


def _guarded(handler: Handler, method: str) -> Handler:
    write = handler.response_serializer
    if handler.request_streaming:
        call = _guarded_stream(handler.stream_stream, method)
        return grpc.stream_stream_rpc_method_handler(call, handler.request_deserializer, write)
    read = _lenient(handler.request_deserializer)
    if handler.response_streaming:
        call = _guarded_stream(handler.unary_stream, method)
        return grpc.unary_stream_rpc_method_handler(call, read, write)
    call = _guarded_unary(handler.unary_unary, method)
    return grpc.unary_unary_rpc_method_handler(call, read, write)


def _guarded_unary(behavior: Any, method: str) -> Any:
    async def call(request: Any, context: Context) -> Any:
        try:
            _check_readable(request)
            return await behavior(request, context)
        except Exception as exc:  # noqa: BLE001 - every error gets its answer here
            await context.abort_with_status(rpc_status.to_status(_status(exc, context, method)))

    return call


def _guarded_stream(behavior: Any, method: str) -> Any:
    async def call(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            _check_readable(request)
            async for response in behavior(request, context):
                yield response
        except Exception as exc:  # noqa: BLE001 - every error gets its answer here
            await context.abort_with_status(rpc_status.to_status(_status(exc, context, method)))

    return call


def _check_readable(request: Any) -> None:
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
