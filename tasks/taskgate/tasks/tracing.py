"""OpenTelemetry, where a program has set it up: one trace from a Submit to the end of its task.

The record keeps the context of the Submit as W3C's traceparent, and each message carries it. So
every attempt, however often its message was published and whoever runs it, is of the same trace.
Without the extra ``otel``, or without a provider, nothing is made and nothing is kept.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any

from celery import signals

HEADER = "traceparent"
"""Of messages, and of gRPC's metadata."""

LOOK_SECONDS = 1.0

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_CELERYS = "opentelemetry.instrumentation.celery"


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


_otel = _module("opentelemetry.trace")
_w3c = _module("opentelemetry.trace.propagation.tracecontext")


class Provider:
    """Whether there is a provider for spans to go to.

    Once there is, it stays. That there is none is asked anew once a second only: it takes
    OpenTelemetry longer than the rest of a call's bookkeeping.
    """

    def __init__(self) -> None:
        self._is_there = False
        self._looked_at = float("-inf")

    def is_there(self) -> bool:
        now = time.monotonic()
        if not self._is_there and now - self._looked_at >= LOOK_SECONDS:
            nobody = (_otel.ProxyTracerProvider, _otel.NoOpTracerProvider)
            self._is_there = not isinstance(_otel.get_tracer_provider(), nobody)
            self._looked_at = now
        return self._is_there


provider = Provider()


def is_on() -> bool:
    """Whether there is a provider for spans to go to; up to a second late."""
    return _otel is not None and provider.is_there()


def checked(traceparent: object) -> str | None:
    """What somebody sent as a traceparent, if it is one."""
    is_one = isinstance(traceparent, str) and _TRACEPARENT.fullmatch(traceparent)
    return str(traceparent) if is_one else None


def current() -> str | None:
    """The traceparent of the span that is under way here."""
    if not is_on():
        return None
    carrier: dict[str, str] = {}
    _w3c.TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(HEADER)


def log_context() -> Mapping[str, str]:
    """The trace and the span that log lines are about."""
    if _otel is None:
        return {}
    context = _otel.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def span(
    name: str, kind: str = "INTERNAL", parent: str | None = None, **attributes: Any
) -> AbstractContextManager[Any]:
    """A span of what is done meanwhile; None where there is no provider.

    ``kind``: one of OpenTelemetry's. ``parent``: a traceparent; the current span if None.
    """
    if not is_on():
        return nullcontext()
    return _tracer().start_as_current_span(  # type: ignore[no-any-return]  # untyped here
        name,
        context=_context(parent),
        kind=_otel.SpanKind[kind],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


def fail(span: Any, why: str) -> None:
    """Mark a span, None included, as that of something that failed."""
    if span is not None:
        span.set_status(_otel.StatusCode.ERROR, why)


def server_span(
    method: str, metadata: Iterable[tuple[str, str | bytes]], *, is_stream: bool
) -> AbstractContextManager[Any]:
    """The span of a call that is served, unless an instrumentation has made one already.

    A stream's is not the current one: who cancels it may end its generator in another context.
    """
    if not is_on() or _otel.get_current_span().get_span_context().is_valid:
        return nullcontext()
    sent = next((value for name, value in metadata if name == HEADER), None)
    name, parent = method.removeprefix("/"), checked(sent)
    attributes = {"rpc.system": "grpc", "rpc.method": name}
    if is_stream:
        return _detached(name, parent, attributes)
    return span(name, "SERVER", parent, **attributes)


@contextmanager
def _detached(name: str, parent: str | None, attributes: Mapping[str, str]) -> Iterator[Any]:
    started = _tracer().start_span(
        name, context=_context(parent), kind=_otel.SpanKind.SERVER, attributes=attributes
    )
    try:
        yield started
    finally:
        started.end()


def run_span(
    name: str, request: Mapping[str, Any], **attributes: Any
) -> AbstractContextManager[Any]:
    """The span of an attempt, unless Celery's own instrumentation makes one.

    ``request``: of its message.
    """
    if not is_on() or _is_instrumented():
        return nullcontext()
    return span(f"run {name}", "CONSUMER", checked(request.get(HEADER)), **attributes)


def published(name: str, traceparent: str | None, began_at: int, **attributes: Any) -> None:
    """Tell of a message that was published; ``began_at``: in nanoseconds since 1970."""
    if traceparent is None or not is_on():
        return
    _tracer().start_span(
        f"publish {name}",
        context=_context(traceparent),
        kind=_otel.SpanKind.PRODUCER,
        attributes=attributes,
        start_time=began_at,
    ).end(time.time_ns())


def _pass_on(headers: dict[str, Any], **_: Any) -> None:
    """Have what a traced task or program sends be of its trace, unless it says otherwise."""
    traceparent = current()
    if traceparent is not None:
        headers.setdefault(HEADER, traceparent)


if _otel is not None:
    signals.before_task_publish.connect(_pass_on, weak=False)


def _is_instrumented() -> bool:
    module = sys.modules.get(_CELERYS)
    return module is not None and module.CeleryInstrumentor().is_instrumented_by_opentelemetry


def _tracer() -> Any:
    return _otel.get_tracer_provider().get_tracer("taskgate")


def _context(traceparent: str | None) -> Any:
    if traceparent is None:
        return None
    return _w3c.TraceContextTextMapPropagator().extract({HEADER: traceparent})
