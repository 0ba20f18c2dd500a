"""The database goes and comes back: calls are refused in time, nothing that waits is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import text

from support.postgres import PostgresServer
from support.records import upgraded
from support.requests import get, submit, watch
from support.serving import (
    SECONDS,
    InProcessServer,
    is_unavailable,
    parameter,
    refused,
    register,
)
from support.waiting import wait_until
from taskgate.server.settings import ServerSettings
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.v1 import task_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as postgres:
        yield postgres


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    database = upgraded(postgres.create_database("outage"))
    register(database, "demo.add", parameter("x"), parameter("y"))
    yield database
    database.close()


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Iterator[InProcessServer]:
    settings = ServerSettings(
        postgres_url=database.url.render_as_string(hide_password=False),
        celery_broker_url=f"sqla+sqlite:///{tmp_path / 'broker.db'}",
        taskgate_address="127.0.0.1:0",
    )
    with InProcessServer(settings) as server:
        yield server


@pytest.fixture
def stub(server: InProcessServer) -> TaskServiceStub:
    return server.stub()


def works(stub: TaskServiceStub) -> bool:
    try:
        stub.Submit(submit(), timeout=SECONDS)
    except grpc.RpcError as exc:
        return not is_unavailable(exc)
    return True


def test_an_outage(stub: TaskServiceStub, postgres: PostgresServer, database: Database) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    waiting = stub.Get.future(get(task_id, wait=60), timeout=60)
    watching = stub.Watch(watch({task_id: 0}), timeout=60)
    assert next(watching).task.state == task_pb2.TASK_STATE_QUEUED
    postgres.kill()
    for call, request in ((stub.Submit, submit()), (stub.Get, get(task_id))):
        refusal = refused(call, request)
        assert refusal.code is grpc.StatusCode.UNAVAILABLE
        assert refusal.reason == "STORE_UNAVAILABLE"
        assert refusal.retry_delay.total_seconds() > 0
    postgres.start()
    wait_until(lambda: works(stub), timeout=30, what="a server that works again")
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, "w")
        assert transitions.succeed(tx, task_id, 1, "3")
    assert waiting.result().task.state == task_pb2.TASK_STATE_SUCCEEDED
    assert list(watching)[-1].task.state == task_pb2.TASK_STATE_SUCCEEDED


def test_a_wait_that_ends_in_an_outage_does_not_guess(
    stub: TaskServiceStub, postgres: PostgresServer
) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    waiting = stub.Get.future(get(task_id, wait=3), timeout=60)
    with pytest.raises(grpc.FutureTimeoutError):
        waiting.result(timeout=0.5)
    postgres.kill()
    assert waiting.code() is grpc.StatusCode.UNAVAILABLE


def test_a_restart_between_two_submits_is_not_noticed(
    stub: TaskServiceStub, postgres: PostgresServer
) -> None:
    stub.Submit(submit(), timeout=SECONDS)
    postgres.stop()
    postgres.start()
    assert works(stub)


def test_health_says_whether_the_database_answers(
    server: InProcessServer, postgres: PostgresServer
) -> None:
    health: Any = health_pb2_grpc.HealthStub(server.channel())

    def status(service: str) -> str:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    watch_health = health.Watch(
        health_pb2.HealthCheckRequest(service="taskgate.v1.TaskService"), timeout=120
    )
    assert next(watch_health).status == health_pb2.HealthCheckResponse.SERVING
    postgres.stop()
    assert next(watch_health).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert status("") == "NOT_SERVING"
    assert status("liveness") == "SERVING"
    postgres.start()
    assert next(watch_health).status == health_pb2.HealthCheckResponse.SERVING
    wait_until(lambda: status("") == "SERVING", 10, "readiness")


def test_after_a_failover_submit_is_unavailable_until_the_standby_is_promoted(
    stub: TaskServiceStub, postgres: PostgresServer, database: Database
) -> None:
    task_id = stub.Submit(submit(), timeout=SECONDS).task.id
    postgres.stop()
    postgres.make_standby()
    postgres.start()
    refusal = refused(stub.Submit, submit())
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    assert stub.Get(get(task_id), timeout=SECONDS).task.id == task_id
    with database.autocommit() as tx:
        tx.execute(text("SELECT pg_promote()"))
    wait_until(lambda: works(stub), timeout=30, what="a server that works again")
