"""Tasks of a worker that traces: its spans are written to a file, a line of JSON each."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from taskgate.tasks import TaskgateTask, task

_SPANS = Path(os.environ["SPANS"])


class _ToFile(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        with _SPANS.open("a") as file:
            file.writelines(json.dumps(json.loads(span.to_json())) + "\n" for span in spans)
        return SpanExportResult.SUCCESS


_provider = TracerProvider()
_provider.add_span_processor(SimpleSpanProcessor(_ToFile()))
trace.set_tracer_provider(_provider)


@task(name="traced.works")
def works() -> str:
    """The trace in which it runs."""
    with trace.get_tracer("users").start_as_current_span("of the task's own") as span:
        return f"{span.get_span_context().trace_id:032x}"


@task(name="traced.is_retried", bind=True, max_retries=1)
def is_retried(self: TaskgateTask) -> None:
    """Fail once."""
    if not self.request.retries:
        raise self.retry(countdown=0)


@task(name="traced.sends_another", bind=True)
def sends_another(self: TaskgateTask) -> str:
    """Send another task, as Celery programs do; its id."""
    return str(self.app.send_task("traced.works").id)
