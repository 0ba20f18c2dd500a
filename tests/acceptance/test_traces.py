"""One trace from a client's call to the end of the task, with OpenTelemetry's own SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import GrpcAioInstrumentorServer, GrpcInstrumentorClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from support.deployment import Deployment
from support.requests import duration, submit, watch
from support.serving import SECONDS, InProcessServer
from support.waiting import wait_until
from taskgate.client import Client, TaskHandle
from taskgate.server.settings import ServerSettings
from taskgate.store import queries
from taskgate.tasks import tracing

WAIT = 60


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What this process exports: OpenTelemetry takes one provider in a process's life."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracing, "provider", tracing.Provider())
    return exporter


@pytest.fixture
def traced(
    exported: InMemorySpanExporter, sqlite_url: str, tmp_path: Path
) -> Iterator[tuple[Deployment, InProcessServer]]:
    """A server in this process, and a worker whose spans go to a file."""
    broker_url = f"sqla+sqlite:///{tmp_path / 'broker.db'}"
    env = {"TASKGATE_TASKS": "support.traced_tasks", "SPANS": str(tmp_path / "spans")}
    settings = ServerSettings(
        celery_broker_url=broker_url, postgres_url=sqlite_url, taskgate_address="127.0.0.1:0"
    )
    with (
        Deployment(tmp_path, broker_url=broker_url, database_url=sqlite_url, env=env) as deployment,
        InProcessServer(settings) as server,
    ):
        deployment.start_worker("--concurrency=1")
        yield deployment, server


def submitted(server: InProcessServer, task_type: str) -> tuple[TaskHandle, str]:
    """A task that was submitted within a span, and the trace's id."""
    tracer = trace.get_tracer_provider().get_tracer("users")
    with Client(server.address) as client, tracer.start_as_current_span("order") as order:
        task = client.submit(task_type)
        task.wait(WAIT)
    return task, f"{order.get_span_context().trace_id:032x}"


def of_worker(path: Path, trace_id: str) -> list[dict[str, Any]]:
    spans = map(json.loads, path.read_text().splitlines())
    return [span for span in spans if span["context"]["trace_id"] == f"0x{trace_id}"]


def of_server(exported: InMemorySpanExporter, trace_id: str) -> dict[str, ReadableSpan]:
    return {
        span.name: span
        for span in exported.get_finished_spans()
        if f"{span.context.trace_id:032x}" == trace_id
    }


def test_one_trace_from_the_client_to_the_end(
    traced: tuple[Deployment, InProcessServer], exported: InMemorySpanExporter, tmp_path: Path
) -> None:
    deployment, server = traced
    task, trace_id = submitted(server, "traced.works")
    assert task.latest is not None
    assert task.latest.result == trace_id
    wait_until(lambda: len(of_worker(tmp_path / "spans", trace_id)) == 2, 30, "its spans")
    own, run = of_worker(tmp_path / "spans", trace_id)
    assert (own["name"], run["name"]) == ("of the task's own", "run traced.works")
    assert own["parent_id"] == run["context"]["span_id"]
    assert run["kind"] == "SpanKind.CONSUMER"
    assert run["attributes"] == {"taskgate.task_id": task.id, "taskgate.attempt": 1}
    spans = of_server(exported, trace_id)
    submit_span = spans["taskgate.v1.TaskService/Submit"]
    assert submit_span.parent is not None
    assert submit_span.parent.span_id == spans["order"].context.span_id
    for name in ("commit", "publish traced.works"):
        parent = spans[name].parent
        assert parent is not None
        assert parent.span_id == submit_span.context.span_id
    assert run["parent_id"] == f"0x{submit_span.context.span_id:016x}"
    with deployment.database.read() as tx:
        kept = queries.get(tx, task.id).trace
    assert kept is not None
    assert kept.split("-")[1] == trace_id


def test_each_attempt_is_of_the_same_trace(
    traced: tuple[Deployment, InProcessServer], tmp_path: Path
) -> None:
    _deployment, server = traced
    _task, trace_id = submitted(server, "traced.is_retried")
    wait_until(lambda: len(of_worker(tmp_path / "spans", trace_id)) == 2, 30, "its spans")
    first, second = of_worker(tmp_path / "spans", trace_id)
    assert [one["attributes"]["taskgate.attempt"] for one in (first, second)] == [1, 2]
    assert (first["status"]["status_code"], first["status"]["description"]) == ("ERROR", "RETRY")
    assert second["status"]["status_code"] == "UNSET"


def test_what_a_task_sends_is_of_its_trace(
    traced: tuple[Deployment, InProcessServer], tmp_path: Path
) -> None:
    _deployment, server = traced
    task, trace_id = submitted(server, "traced.sends_another")
    assert task.latest is not None
    wait_until(lambda: len(of_worker(tmp_path / "spans", trace_id)) == 3, 30, "its spans")
    spans = {one["name"]: one for one in of_worker(tmp_path / "spans", trace_id)}
    sent = spans["run traced.works"]
    assert sent["attributes"]["taskgate.task_id"] == task.latest.result
    assert sent["parent_id"] == spans["run traced.sends_another"]["context"]["span_id"]


def test_what_is_refused_and_what_is_cancelled(
    traced: tuple[Deployment, InProcessServer], exported: InMemorySpanExporter
) -> None:
    _deployment, server = traced
    stub = server.stub()
    with pytest.raises(grpc.RpcError):
        stub.Submit(submit("traced.unknown"), timeout=SECONDS)
    task = stub.Submit(submit("traced.works", delay=duration(3600)), timeout=SECONDS).task
    watching = stub.Watch(watch({task.id: 0}), timeout=SECONDS)
    assert next(iter(watching)).task.id == task.id
    watching.cancel()

    def finished(name: str) -> list[ReadableSpan]:
        return [one for one in exported.get_finished_spans() if one.name.endswith(name)]

    wait_until(lambda: bool(finished("/Watch")), SECONDS, "the stream's span has ended")
    refused, accepted = finished("/Submit")
    assert refused.status.status_code is StatusCode.ERROR
    assert refused.status.description == "InvalidRequest"
    assert accepted.status.status_code is StatusCode.UNSET
    assert not refused.events


@pytest.fixture
def instrumented(exported: InMemorySpanExporter) -> Iterator[None]:
    """What people install for gRPC, on both sides."""
    provider = trace.get_tracer_provider()
    sides: list[Any] = [GrpcInstrumentorClient(), GrpcAioInstrumentorServer()]  # type: ignore[no-untyped-call]
    for side in sides:
        side.instrument(tracer_provider=provider)
    yield
    for side in sides:
        side.uninstrument()


@pytest.mark.usefixtures("instrumented")
def test_beside_grpcs_own_instrumentation_no_span_is_doubled(
    exported: InMemorySpanExporter, traced: tuple[Deployment, InProcessServer], tmp_path: Path
) -> None:
    _deployment, server = traced
    _task, trace_id = submitted(server, "traced.works")
    wait_until(lambda: len(of_worker(tmp_path / "spans", trace_id)) == 2, 30, "its spans")
    spans = [
        span
        for span in exported.get_finished_spans()
        if f"{span.context.trace_id:032x}" == trace_id and "Submit" in span.name
    ]
    assert sorted(span.kind.name for span in spans) == ["CLIENT", "SERVER"]
    [serving] = [span for span in spans if span.kind is SpanKind.SERVER]
    run = of_worker(tmp_path / "spans", trace_id)[-1]
    assert run["parent_id"] == f"0x{serving.context.span_id:016x}"


@pytest.mark.parametrize("sent", [None, 7, "", "00-zz-1-01", "0" * 55])
def test_what_is_no_traceparent_is_dropped(sent: object) -> None:
    assert tracing.checked(sent) is None


def test_without_a_provider_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "provider", tracing.Provider())
    assert not tracing.is_on()
    assert tracing.current() is None
    with tracing.span("nothing") as span:
        assert span is None
    assert tracing.log_context() == {}
