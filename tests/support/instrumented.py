"""A managed app under an instrumentation that users run in production, for workers under test.

What was traced of each run is written to a file, a line each: what an agent would send elsewhere.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from celery import Celery, signals

from taskgate.tasks import manage

_TRACED = Path(os.environ["TRACED"])
_NAMES = ("instrumented.succeeds", "instrumented.is_retried", "instrumented.fails")


def _note(name: str) -> None:
    with _TRACED.open("a") as traced:
        traced.write(f"{name}\n")


def _sentry() -> None:
    sentry: Any = import_module("sentry_sdk")
    transport: Any = import_module("sentry_sdk.transport")

    class Noting(transport.Transport):  # type: ignore[misc]  # not installed here
        def capture_envelope(self, envelope: Any) -> None:
            event = envelope.get_transaction_event()
            if event is not None:
                _note(event["transaction"])

    options = {"traces_sample_rate": 1.0, "transport": Noting}
    sentry.init(dsn="http://key@127.0.0.1:9/1", **options)


def _opentelemetry() -> None:
    trace: Any = import_module("opentelemetry.trace")
    sdk: Any = import_module("opentelemetry.sdk.trace")
    export: Any = import_module("opentelemetry.sdk.trace.export")
    celery: Any = import_module("opentelemetry.instrumentation.celery")

    class Noting(export.SpanExporter):  # type: ignore[misc]  # not installed here
        def export(self, spans: Any) -> Any:
            for span in spans:
                if span.kind is trace.SpanKind.CONSUMER:
                    _note(span.attributes["celery.task_name"])
            return export.SpanExportResult.SUCCESS

    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(Noting()))
    trace.set_tracer_provider(provider)
    celery.CeleryInstrumentor().instrument()


def _ddtrace() -> None:
    ddtrace: Any = import_module("ddtrace")
    trace: Any = import_module("ddtrace.trace")

    class Noting(trace.TraceFilter):  # type: ignore[misc]  # not installed here
        def process_trace(self, spans: Any) -> None:
            for span in spans:
                if span.name == "celery.run":
                    _note(span.resource)

    trace.tracer.configure(trace_processors=[Noting()])
    ddtrace.patch(celery=True)


def _newrelic() -> None:
    os.environ.update(NEW_RELIC_LICENSE_KEY="0" * 40, NEW_RELIC_DEVELOPER_MODE="true")
    agent: Any = import_module("newrelic.agent")
    data: Any = import_module("newrelic.core.stats_engine")
    record = data.StatsEngine.record_transaction

    def noting(self: Any, transaction: Any) -> Any:
        _note(transaction.name.removeprefix("Celery/"))
        return record(self, transaction)

    data.StatsEngine.record_transaction = noting
    agent.initialize()

    def register(**_: Any) -> None:
        agent.register_application(timeout=10)  # what runs before it is not recorded

    signals.worker_process_init.connect(register, weak=False)


{"sentry": _sentry, "opentelemetry": _opentelemetry, "ddtrace": _ddtrace, "newrelic": _newrelic}[
    os.environ["INSTRUMENTATION"]
]()

app = manage(Celery("instrumented"))


@app.task(name=_NAMES[0])
def succeeds(x: int) -> int:
    """Return."""
    return x


@app.task(name=_NAMES[1], bind=True, max_retries=1, default_retry_delay=0)
def is_retried(self: Any, x: int) -> int:
    """Return when it is run again."""
    if not self.request.retries:
        raise self.retry()
    return x


@app.task(name=_NAMES[2])
def fails(x: int) -> None:
    """Fail."""
    raise ValueError(x)


@signals.worker_ready.connect
def send(**_: Any) -> None:
    """Start one of each."""
    for number, task in enumerate((succeeds, is_retried, fails)):
        task.apply_async((number,), task_id=f"{number}")
