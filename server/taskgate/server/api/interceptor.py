"""What every call goes through: who calls, can the request be read, and what do its errors mean."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_status import rpc_status

from taskgate.server.api.authentication import Tokens, bearer_token, caller
from taskgate.server.api.authorization import ROLES, check_role
from taskgate.server.api.limits import CallLimits, RefusalLog
from taskgate.server.api.statuses import internal_status, meaning_of, status_of
from taskgate.server.callers import ANYONE, Caller
from taskgate.server.credentials import certificate_name
from taskgate.server.errors import (
    CallUnknown,
    MalformedRequest,
    MessageTooLarge,
    PermissionDenied,
    RequestError,
    ShuttingDown,
    TokenMissing,
    TooManyCalls,
    Unauthenticated,
)
from taskgate.server.metrics import instruments
from taskgate.store.errors import StoreUnavailable
from taskgate.tasks import tracing
from taskgate.v1 import task_service_pb2

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]  # a generic type in the stubs only
    Context = grpc.aio.ServicerContext[Any, Any]

VERSION = version("taskgate")

_VERSION_METADATA = (("taskgate-version", VERSION),)
"""In the trailing metadata of every call that is let in."""

_OPEN_SERVICE = "/grpc.health.v1.Health/"
"""Load balancers and orchestrators have no tokens."""

_OPEN_WATCH = f"{_OPEN_SERVICE}Watch"
"""Stays open for good."""


_CERTIFIED = Caller("")
"""Whoever the certificate names, which gRPC shows to handlers only."""

_UNKNOWN_METHOD = "/unknown/unknown"
"""What calls are counted as that there are not: strangers could make up any number of names."""

_SERVICE = task_service_pb2.DESCRIPTOR.services_by_name["TaskService"]
_METHODS = [f"/{_SERVICE.full_name}/{method.name}" for method in _SERVICE.methods]


@dataclass(frozen=True, slots=True)
class _Answer(grpc.Status):
    code: grpc.StatusCode
    details: str
    trailing_metadata: Any


class _Counted:
    """Counts a call once it has ended, with the code that it was answered."""

    __slots__ = ("_began_at", "_context", "_method")

    def __init__(self, method: str, context: Context) -> None:
        self._method, self._context = method, context

    def __enter__(self) -> None:
        self._began_at = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        code = grpc.StatusCode.CANCELLED  # by the client, or at its deadline
        if kind is None:
            code = grpc.StatusCode.OK
        elif issubclass(kind, grpc.aio.AbortError):
            code = self._context.code()
        instruments.call_ended(self._method, code, time.perf_counter() - self._began_at)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Authenticates callers by their metadata, and answers errors as google.rpc.Status.

    A call's handler is chosen before its message is read, so that a refused call's message never
    is. Handlers are made once a method, not once a call.
    """

    def __init__(
        self,
        tokens: Tokens | None,
        max_calls: int,
        max_message_bytes: int,
        *,
        has_certificates: bool,
    ) -> None:
        """``tokens``: None lets everyone call. ``has_certificates``: clients must show one."""
        self._has_certificates = has_certificates
        self._tokens = tokens
        self._limits = CallLimits(max_calls, callers_are_known=tokens is not None)
        self._max_message_bytes = max_message_bytes
        self._refusals = RefusalLog()
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The call's handler, with the caller's name in its context; or one that refuses."""
        method = handler_call_details.method
        try:
            self._admit(method, handler_call_details.invocation_metadata or ())
            if method not in self._guarded:
                handler = await continuation(handler_call_details)
                if handler is None:
                    return self._refusal(CallUnknown(method, _METHODS), method)
                is_open = method.startswith(_OPEN_SERVICE)
                self._guarded[method] = handler if is_open else self._guard(handler, method)
            return self._guarded[method]
        except RequestError as exc:
            return self._refusal(exc, method)

    @property
    def calls_under_way(self) -> int:
        """How many there are, health checks excepted."""
        return self._limits.calls

    def close(self) -> None:
        """Log what was counted only."""
        self._refusals.close()

    def _admit(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        if method == _OPEN_WATCH:
            self._limits.admit_open()
        elif not method.startswith(_OPEN_SERVICE):
            who = self._caller(metadata)
            check_role(who, method)
            caller.set(who)
            self._limits.admit(who.name)

    def _caller(self, metadata: Iterable[tuple[str, str | bytes]]) -> Caller:
        if self._tokens is None:
            return _CERTIFIED if self._has_certificates else ANYONE
        token = bearer_token(metadata)
        if token is not None:
            return self._tokens.caller(token)
        if self._has_certificates and self._tokens.name_certificates:
            return _CERTIFIED
        raise TokenMissing

    def _certified(self, context: Context) -> Caller:
        name = certificate_name(context.auth_context()) or ""
        return Caller(name) if self._tokens is None else self._tokens.certified(name)

    def _refusal(self, error: RequestError, method: str) -> Handler:
        """A handler that answers with the error and reads no message."""
        counted = method if method in ROLES else _UNKNOWN_METHOD

        async def refuse(_requests: AsyncIterator[bytes], context: Context) -> None:
            with _Counted(counted, context):
                await self._abort(error, context, method)

        return grpc.stream_stream_rpc_method_handler(refuse)

    def _guard(self, handler: Handler, method: str) -> Handler:
        write = handler.response_serializer
        if handler.request_streaming:
            call = self._guarded_stream(handler.stream_stream, method)
            return grpc.stream_stream_rpc_method_handler(call, handler.request_deserializer, write)
        read = self._reader(handler.request_deserializer)
        if handler.response_streaming:
            call = self._guarded_stream(handler.unary_stream, method)
            return grpc.unary_stream_rpc_method_handler(call, read, write)
        call = self._guarded_unary(handler.unary_unary, method)
        return grpc.unary_unary_rpc_method_handler(call, read, write)

    def _guarded_unary(self, behavior: Any, method: str) -> Any:
        async def call(request: Any, context: Context) -> Any:
            sent = context.invocation_metadata() if tracing.is_on() else ()
            traced = tracing.server_span(method, sent or (), is_stream=False)
            with _Counted(method, context), traced as span:
                try:
                    self._begin(request, context, method)
                    return await behavior(request, context)
                except Exception as exc:  # noqa: BLE001 - every error gets its answer here
                    tracing.fail(span, type(exc).__name__)
                    await self._abort(exc, context, method)

        return call

    def _guarded_stream(self, behavior: Any, method: str) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            sent = context.invocation_metadata() if tracing.is_on() else ()
            traced = tracing.server_span(method, sent or (), is_stream=True)
            with _Counted(method, context), traced as span:
                try:
                    self._begin(request, context, method)
                    async for response in behavior(request, context):
                        yield response
                except Exception as exc:  # noqa: BLE001 - every error gets its answer here
                    tracing.fail(span, type(exc).__name__)
                    await self._abort(exc, context, method)

        return call

    def _begin(self, request: Any, context: Context, method: str) -> None:
        context.set_trailing_metadata(_VERSION_METADATA)
        if caller.get() is _CERTIFIED:
            who = self._certified(context)
            caller.set(who)
            check_role(who, method)
        if isinstance(request, RequestError):
            raise request

    def _reader(self, deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
        """Reads a request, or what is wrong with it: gRPC itself would answer INTERNAL."""

        def read(data: bytes) -> Any:
            if len(data) > self._max_message_bytes:
                return MessageTooLarge(self._max_message_bytes)
            try:
                return deserialize(data) if deserialize else data
            except DecodeError:
                return MalformedRequest()

        return read

    async def _abort(self, error: Exception, context: Context, method: str) -> None:
        status = rpc_status.to_status(self._status(error, context, method))
        trailing = status.trailing_metadata or ()
        if not isinstance(error, Unauthenticated):
            trailing = (*trailing, *_VERSION_METADATA)
        await context.abort_with_status(_Answer(status.code, status.details, trailing))

    def _status(self, error: Exception, context: Context, method: str) -> status_pb2.Status:
        meaning = meaning_of(error)
        if meaning is None:
            incident = uuid.uuid4().hex[:12]
            logger.error("incident %s: %s failed", incident, method, exc_info=error)
            return internal_status(incident)
        call = method.rpartition("/")[2]
        who = caller.get().name or context.peer()
        text = f"{call} by {who} refused: {meaning.reason}: {error}"
        self._refusals.note(_level(error), meaning.reason, text)
        return status_of(error, meaning)


def _level(error: Exception) -> int:
    """What concerns the server, or smells of an attack, is for its operator."""
    if isinstance(error, ShuttingDown):
        return logging.DEBUG
    if isinstance(error, Unauthenticated | PermissionDenied | TooManyCalls | StoreUnavailable):
        return logging.WARNING
    return logging.INFO
