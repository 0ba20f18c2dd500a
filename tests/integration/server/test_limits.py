"""How many calls may be under way: nobody locks out the others, and who is refused is told why."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import psycopg2
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import text

from support.records import submitted_in
from support.requests import get, submit, watch
from support.serving import SECONDS, InProcessServer, Refusal, refused
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.record import new_task_id
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

MAX_CALLS = 20
OF_CALLER = 15
HEALTH_WATCHES = 2

Make = Callable[..., ServerSettings]


def bearer(token: str) -> Any:
    return [("authorization", f"Bearer {token}")]


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    lines = [f"{name} {hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("alice", "bob")]
    path.write_text("".join(lines))
    return path


@pytest.fixture
def task_id(database: Database) -> str:
    with database.write() as tx:
        return submitted_in(tx, State.QUEUED)


def open_watches(stub: TaskServiceStub, task_id: str, number: int, **options: Any) -> list[Any]:
    """So many calls that stay under way, each answered for the first time."""
    streams = [stub.Watch(watch({task_id: 0}), timeout=60, **options) for _ in range(number)]
    for stream in streams:
        next(stream)
    return streams


def test_calls_beyond_the_limit_are_told_to_come_back(make_settings: Make, task_id: str) -> None:
    with InProcessServer(make_settings(taskgate_max_concurrent_calls=MAX_CALLS)) as server:
        stub = server.stub()
        streams = open_watches(stub, task_id, MAX_CALLS)
        refusal = refused(stub.Get, get(task_id))
        assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refusal.reason == "TOO_MANY_CALLS"
        assert refusal.metadata == {"limit": str(MAX_CALLS)}
        assert refusal.retry_delay > timedelta(0)
        streams[0].cancel()
        wait_until(lambda: is_answered(stub, task_id), 10, "room for another call")


def is_answered(stub: TaskServiceStub, task_id: str) -> bool:
    try:
        stub.Get(get(task_id), timeout=SECONDS)
    except grpc.RpcError:
        return False
    return True


def test_one_caller_leaves_room_for_others(make_settings: Make, task_id: str, tokens: Path) -> None:
    settings = make_settings(taskgate_max_concurrent_calls=MAX_CALLS, taskgate_tokens_file=tokens)
    with InProcessServer(settings) as server:
        stub = server.stub()
        _kept_open = open_watches(stub, task_id, OF_CALLER, metadata=bearer("alice"))
        refusal = refused(stub.Get, get(task_id), metadata=bearer("alice"))
        assert (refusal.reason, refusal.metadata["limit"]) == ("TOO_MANY_CALLS", str(OF_CALLER))
        assert "'alice'" in refusal.message
        stub.Get(get(task_id), metadata=bearer("bob"), timeout=SECONDS)


def test_open_health_watches_lock_nobody_out(make_settings: Make, task_id: str) -> None:
    with InProcessServer(make_settings(taskgate_max_concurrent_calls=MAX_CALLS)) as server:
        health: Any = health_pb2_grpc.HealthStub(server.channel())
        request = health_pb2.HealthCheckRequest()
        watches = [health.Watch(request, timeout=60) for _ in range(HEALTH_WATCHES)]
        for one in watches:
            next(one)

        def watch_health(request: health_pb2.HealthCheckRequest, timeout: float) -> None:
            list(health.Watch(request, timeout=timeout))

        assert refused(watch_health, request).reason == "TOO_MANY_CALLS"
        health.Check(request, timeout=SECONDS)
        server.stub().Get(get(task_id), timeout=SECONDS)


def test_a_stranger_is_refused_before_the_message_is_sent(
    make_settings: Make, tokens: Path
) -> None:
    """Or else a server would hold the messages of all strangers."""
    with InProcessServer(make_settings(taskgate_tokens_file=tokens)) as server:
        may_send = threading.Event()

        def requests() -> Iterator[bytes]:
            may_send.wait(SECONDS)
            yield submit().SerializeToString()

        submit_slowly: Any = server.channel().stream_unary("/taskgate.v1.TaskService/Submit")
        with pytest.raises(grpc.RpcError) as caught:
            submit_slowly(requests(), timeout=SECONDS / 2)
        may_send.set()
        assert Refusal(caught.value).reason == "TOKEN_MISSING"


def test_strangers_do_not_flood_the_log(
    make_settings: Make, tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING),
        InProcessServer(make_settings(taskgate_tokens_file=tokens)) as server,
    ):
        stub = server.stub()
        calls = [stub.Get.future(get(new_task_id()), timeout=SECONDS) for _ in range(300)]
        assert {call.code() for call in calls} == {grpc.StatusCode.UNAUTHENTICATED}
    lines = [record.getMessage() for record in caplog.records if "TOKEN_MISSING" in record.message]
    assert len(lines) < 20
    assert lines[0].startswith("Get by ipv4:127.0.0.1")
    assert lines[-1].startswith("refused since the last line: ")


def test_a_burst_is_answered(stub: TaskServiceStub, task_id: str) -> None:
    """By default gRPC drops calls as CANCELLED when more than a thousand come at once."""
    calls = [stub.Get.future(get(task_id), timeout=60) for _ in range(4_000)]
    assert Counter(call.code() for call in calls) == {grpc.StatusCode.OK: 4_000}


def test_a_request_that_is_too_long_is_told_the_limit(make_settings: Make) -> None:
    with InProcessServer(make_settings(taskgate_max_message_bytes=100_000)) as server:
        refusal = refused(server.stub().Submit, submit("demo.echo", "x" * 150_000))
        assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refusal.reason == "MESSAGE_TOO_LARGE"
        assert refusal.metadata == {"limit_bytes": "100000"}


def test_an_unknown_call_gets_the_nearest_name(server: InProcessServer) -> None:
    call: Any = server.channel().unary_unary(
        "/taskgate.v1.TaskService/Sumbit", request_serializer=lambda _: b""
    )
    refusal = refused(call, task_service_pb2.SubmitRequest())
    assert refusal.code is grpc.StatusCode.UNIMPLEMENTED
    assert refusal.reason == "CALL_UNKNOWN"
    assert "did you mean '/taskgate.v1.TaskService/Submit'" in refusal.message


def test_connections_are_renewed_and_who_waits_is_answered(
    make_settings: Make, task_id: str
) -> None:
    states: list[grpc.ChannelConnectivity] = []

    def was_left() -> bool:
        ready = grpc.ChannelConnectivity.READY
        return ready in states and grpc.ChannelConnectivity.IDLE in states[states.index(ready) :]

    settings = make_settings(taskgate_max_connection_age_seconds=0.5)
    with InProcessServer(settings) as server:
        channel = server.channel()
        channel.subscribe(states.append)
        stub = TaskServiceStub(channel)
        waiting = stub.Get.future(get(task_id, 30), timeout=60)
        wait_until(was_left, 30, "the client leaves its connection")
        stub.Abort(task_service_pb2.AbortRequest(id=task_id), timeout=SECONDS)
        assert waiting.result().task.state == task_pb2.TASK_STATE_ABORTED


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_slow_lists_hold_up_nothing_else(
    stub: TaskServiceStub, database: Database, task_id: str
) -> None:
    request = task_service_pb2.ListRequest(labels={"team": "web"})
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE taskgate_labels IN ACCESS EXCLUSIVE MODE")
        lists = [stub.List.future(request, timeout=60) for _ in range(30)]
        wait_until(lambda: blocked(database) > 0, 10, "a list that waits")
        for _ in range(20):
            stub.Submit(submit(), timeout=SECONDS / 2)
            stub.Get(get(task_id), timeout=SECONDS / 2)
    assert {call.code() for call in lists} == {grpc.StatusCode.OK}


def blocked(database: Database) -> int:
    with database.read() as tx:
        statement = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(tx.execute(statement).scalar_one())
