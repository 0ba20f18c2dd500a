"""KEDA's external scaler, asked as KEDA asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from support.records import HOUR, submitted_in
from support.serving import SECONDS, InProcessServer, refused, start_worker
from support.tokens import bearer, line
from taskgate.keda.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from taskgate.keda.externalscaler_pb2_grpc import ExternalScalerStub
from taskgate.server.api import overview
from taskgate.server.settings import ServerSettings
from taskgate.store import pauses, transitions, workers
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.pauses import Kind, Target

METRIC = "taskgate-load"


def ref(**metadata: str) -> ScaledObjectRef:
    said = {"scalerAddress": "server:50051", **metadata}  # KEDA sends its own words as well
    return ScaledObjectRef(name="workers", namespace="default", scaler_metadata=said)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(overview, "LOAD", 1e9)


@pytest.fixture
def scaler(server: InProcessServer) -> ExternalScalerStub:
    return ExternalScalerStub(server.channel())


def load(scaler: ExternalScalerStub, **metadata: str) -> float:
    request = GetMetricsRequest(scaled_object_ref=ref(**metadata), metric_name=METRIC)
    [value] = scaler.GetMetrics(request, timeout=SECONDS).metric_values
    assert value.metric_name == METRIC
    assert value.metric_value - 1 < value.metric_value_float <= value.metric_value
    return value.metric_value_float


def is_active(scaler: ExternalScalerStub, **metadata: str) -> bool:
    return scaler.IsActive(ref(**metadata), timeout=SECONDS).result


def fill(database: Database, queue: str, *states: State) -> None:
    with database.write() as tx:
        for state in states:
            submitted_in(tx, state, queue=queue)


def test_the_load_is_what_waits_and_runs_by_the_slots_of_a_worker(
    database: Database, scaler: ExternalScalerStub
) -> None:
    start_worker(database, "one@here/1", queues=["mail", "reports"], concurrency=2)
    start_worker(database, "two@here/2", queues=["mail"], concurrency=6)
    fill(database, "mail", *[State.QUEUED] * 5, State.RUNNING, State.ABORTING)
    fill(database, "mail", State.SCHEDULED, State.SUCCEEDED)
    fill(database, "reports", State.QUEUED)
    fill(database, "other", State.QUEUED)
    assert load(scaler, queues="mail") == 7 / 4
    assert load(scaler, queues="mail, reports") == 8 / 4
    assert load(scaler, queues="mail", slots="10") == 0.7


def test_the_target(scaler: ExternalScalerStub) -> None:
    [spec] = scaler.GetMetricSpec(ref(queues="mail"), timeout=SECONDS).metric_specs
    assert (spec.metric_name, spec.target_size, spec.target_size_float) == (METRIC, 1, 1.0)
    [spec] = scaler.GetMetricSpec(ref(queues="mail", load="2.5"), timeout=SECONDS).metric_specs
    assert (spec.target_size, spec.target_size_float) == (3, 2.5)


def test_without_a_worker_one_is_asked_for(database: Database, scaler: ExternalScalerStub) -> None:
    assert not is_active(scaler, queues="mail")
    assert load(scaler, queues="mail") == 0.0
    fill(database, "mail", *[State.QUEUED] * 40)
    assert is_active(scaler, queues="mail")
    assert load(scaler, queues="mail") == 1.0
    assert load(scaler, queues="mail", load="3") == 3.0
    assert load(scaler, queues="mail", slots="8") == 5.0
    start_worker(database, "mail@here/1", queues=["mail"], concurrency=4)
    assert load(scaler, queues="mail") == 10.0


def test_a_paused_queue_needs_workers_for_what_runs_only(
    database: Database, scaler: ExternalScalerStub
) -> None:
    fill(database, "mail", State.QUEUED)
    fill(database, "reports", State.QUEUED, State.RUNNING)
    with database.write() as tx:
        for queue in ("mail", "reports"):
            pauses.pause(tx, Target(Kind.QUEUE, queue), by="me", reason="")
    assert not is_active(scaler, queues="mail")
    assert is_active(scaler, queues="reports")
    assert load(scaler, queues="mail,reports", slots="1") == 1.0


def test_changes_are_pushed(database: Database, server: InProcessServer) -> None:
    stream = ExternalScalerStub(server.channel()).StreamIsActive(ref(queues="mail"))
    pushed: Iterator[bool] = (answer.result for answer in stream)
    assert next(pushed) is False
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING, queue="mail")
    assert next(pushed) is True
    with database.write() as tx:
        transitions.succeed(tx, task_id, 1, "1")
    assert next(pushed) is False
    stream.cancel()


def test_a_stream_ends_with_the_server(make_settings: Callable[..., ServerSettings]) -> None:
    with InProcessServer(make_settings(taskgate_drain_seconds=3600.0)) as server:
        channel = grpc.insecure_channel(server.address)
        stream: Any = ExternalScalerStub(channel).StreamIsActive(ref(queues="mail"))
        assert next(stream).result is False
        ended = threading.Event()
        stream.add_done_callback(lambda _: ended.set())
    assert ended.wait(SECONDS)
    channel.close()


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({}, "queues"),
        ({"queues": " , "}, "queues"),
        ({"queues": "x" * 300}, "queues"),
        ({"queues": "mail", "load": "much"}, "load"),
        ({"queues": "mail", "load": "0"}, "load"),
        ({"queues": "mail", "slots": "nan"}, "slots"),
        ({"queues": "mail", "slots": "inf"}, "slots"),
    ],
)
def test_metadata_that_are_wrong(
    scaler: ExternalScalerStub, metadata: dict[str, str], field: str
) -> None:
    refusal = refused(scaler.GetMetricSpec, ref(**metadata))
    assert refusal.reason == "FIELD_INVALID"
    assert list(refusal.violations) == [f"scaler_metadata.{field}"]


def test_a_caller_needs_the_role_and_sees_its_queues_only(
    make_settings: Callable[..., ServerSettings], database: Database, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(
        line("keda", "k", "roles=read queues=mail") + line("poster", "p", "roles=submit")
    )
    fill(database, "mail", State.QUEUED)
    fill(database, "secret", State.QUEUED)
    with InProcessServer(make_settings(taskgate_tokens_file=tokens)) as server:
        scaler = ExternalScalerStub(server.channel())

        def active(queue: str, token: str) -> Any:
            return scaler.IsActive(ref(queues=queue), timeout=SECONDS, metadata=bearer(token))

        assert active("mail", "k").result is True
        assert active("secret", "k").result is False
        refusal = refused(scaler.IsActive, ref(queues="mail"), metadata=bearer("p"))
        assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
        refusal = refused(scaler.IsActive, ref(queues="mail"))
        assert refusal.reason == "TOKEN_MISSING"


def test_workers_that_died_have_no_slots(database: Database, scaler: ExternalScalerStub) -> None:
    start_worker(database, "mail@here/1", queues=["mail"], concurrency=4)
    with database.write() as tx:
        workers.renew(tx, "mail@here/1", -HOUR)
    fill(database, "mail", *[State.QUEUED] * 8)
    assert load(scaler, queues="mail") == 1.0
