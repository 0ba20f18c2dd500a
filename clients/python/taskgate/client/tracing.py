"""The trace of a program that uses OpenTelemetry, sent along with its calls."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from taskgate.client.channel import Metadata


def _propagator() -> Any:
    try:
        module = import_module("opentelemetry.trace.propagation.tracecontext")
    except ImportError:
        return None
    return module.TraceContextTextMapPropagator()


_w3c = _propagator()


def with_trace(metadata: Metadata) -> Metadata:
    """The metadata of a call, with the span that is under way, if there is one."""
    if _w3c is None:
        return metadata
    carrier: dict[str, str] = {}
    _w3c.inject(carrier)
    return (*metadata, *carrier.items())
