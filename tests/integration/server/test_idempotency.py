"""request_id: the same id with the same content is the same task, whoever asks at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from sqlalchemy import func, select

from support.records import submitted_in
from support.requests import duration, submit, submit_text
from support.serving import SECONDS, InProcessServer, parameter, refused, register
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.tables import outbox, tasks
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def count(database: Database, table: Any = tasks) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_repeated_submit_is_the_first_task(stub: TaskServiceStub, database: Database) -> None:
    request = submit(request_id="r", labels={"a": "1", "b": "2"}, delay=duration(60))
    first = stub.Submit(request, timeout=SECONDS).task
    assert stub.Submit(request, timeout=SECONDS).task == first
    assert count(database) == 1


def test_many_at_once_are_one_task(stub: TaskServiceStub, database: Database) -> None:
    calls = [stub.Submit.future(submit(request_id="r"), timeout=SECONDS) for _ in range(100)]
    assert len({call.result().task.id for call in calls}) == 1
    assert count(database) == 1


def test_how_the_arguments_are_written_does_not_matter(stub: TaskServiceStub) -> None:
    first = stub.Submit(submit("demo.add", 1, 2, request_id="r"), timeout=SECONDS).task
    again = stub.Submit(submit_text("demo.add", 1, 2, request_id="r"), timeout=SECONDS).task
    assert again.id == first.id


@pytest.mark.parametrize(
    "change",
    [
        {"priority": 9},
        {"labels": {"a": "b"}},
        {"queue": "celery"},
        {"delay": duration(1)},
        {"ttl": duration(1)},
        {"run_timeout": duration(1)},
        {"retry_policy": {"max_attempts": 2}},
        {"arguments_json": '{"args": [1, 3]}'},
        {"arguments_json": '{"args": [1, 2.0]}'},
    ],
)
def test_other_content_is_refused(
    stub: TaskServiceStub, database: Database, change: dict[str, Any]
) -> None:
    first = stub.Submit(submit(request_id="r"), timeout=SECONDS).task
    refusal = refused(stub.Submit, submit(request_id="r", **change))
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    assert refusal.reason == "REQUEST_ID_REUSED"
    assert refusal.metadata == {"request_id": "r", "task_id": first.id}
    assert count(database) == 1


def test_at_once_with_other_content_one_wins(stub: TaskServiceStub, database: Database) -> None:
    calls = [
        stub.Submit.future(submit("demo.add", 1, number, request_id="r"), timeout=SECONDS)
        for number in range(20)
    ]
    codes = [call.code() for call in calls]
    assert codes.count(grpc.StatusCode.OK) == 1
    assert codes.count(grpc.StatusCode.ALREADY_EXISTS) == 19
    assert count(database) == 1


def test_no_request_id_is_no_request_id(stub: TaskServiceStub, database: Database) -> None:
    first, second = (stub.Submit(submit(), timeout=SECONDS).task.id for _ in range(2))
    assert first != second
    assert count(database) == 2


def test_a_repeated_retry_is_the_first_one(stub: TaskServiceStub, database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.FAILED)
    request = task_service_pb2.RetryRequest(id=task_id, request_id="r")
    first = stub.Retry(request, timeout=SECONDS).task
    assert stub.Retry(request, timeout=SECONDS).task.id == first.id
    request.replace_arguments = True
    request.arguments_json = '{"args": [3, 4]}'
    assert refused(stub.Retry, request).reason == "REQUEST_ID_REUSED"
    assert refused(stub.Submit, submit(request_id="r")).reason == "REQUEST_ID_REUSED"


def test_a_batch_repeats_itself(stub: TaskServiceStub, database: Database) -> None:
    requests = [submit("demo.add", 1, n, request_id=f"r{n}") for n in range(20)]
    batch = task_service_pb2.SubmitBatchRequest(requests=requests + requests[:5])
    first = stub.SubmitBatch(batch, timeout=SECONDS)
    assert stub.SubmitBatch(batch, timeout=SECONDS) == first
    ids = [result.task.id for result in first.results]
    assert ids[20:] == ids[:5]
    assert count(database) == 20
    assert count(database, outbox) <= 20


def test_a_full_queue_answers_what_it_took_before(
    make_settings: Callable[..., ServerSettings], database: Database
) -> None:
    with database.write() as tx:
        failed = submitted_in(tx, State.FAILED)
    retry = task_service_pb2.RetryRequest(id=failed, request_id="retry")
    batch = task_service_pb2.SubmitBatchRequest(
        requests=[submit(request_id="b1"), submit(request_id="b2")]
    )
    with InProcessServer(make_settings(taskgate_max_queued=4)) as server:
        stub = server.stub()
        first = stub.Submit(submit(request_id="r"), timeout=SECONDS).task
        retried = stub.Retry(retry, timeout=SECONDS).task
        submitted = stub.SubmitBatch(batch, timeout=SECONDS)
        assert refused(stub.Submit, submit(request_id="new")).reason == "QUEUE_FULL"

        assert stub.Submit(submit(request_id="r"), timeout=SECONDS).task == first
        assert stub.Retry(retry, timeout=SECONDS).task == retried
        assert stub.SubmitBatch(batch, timeout=SECONDS) == submitted
        other = submit("demo.add", 3, 4, request_id="r")
        assert refused(stub.Submit, other).reason == "REQUEST_ID_REUSED"


def test_repeats_do_not_fill_a_queue(make_settings: Callable[..., ServerSettings]) -> None:
    with InProcessServer(make_settings(taskgate_max_queued=2)) as server:
        stub = server.stub()
        for _ in range(20):
            stub.Submit(submit(request_id="r"), timeout=SECONDS)
        stub.Submit(submit(), timeout=SECONDS)


def test_a_changed_task_type_answers_what_it_took_before(
    make_settings: Callable[..., ServerSettings], database: Database
) -> None:
    with database.write() as tx:
        failed = submitted_in(tx, State.FAILED)
    retry = task_service_pb2.RetryRequest(id=failed, request_id="retry")
    batch = task_service_pb2.SubmitBatchRequest(requests=[submit(request_id="b")])
    with InProcessServer(make_settings()) as server:
        stub = server.stub()
        first = stub.Submit(submit(request_id="r"), timeout=SECONDS).task
        retried = stub.Retry(retry, timeout=SECONDS).task
        submitted = stub.SubmitBatch(batch, timeout=SECONDS)

    register(database, "demo.add", parameter("only", {"type": "string"}))

    with InProcessServer(make_settings()) as server:
        stub = server.stub()
        assert refused(stub.Submit, submit(request_id="new")).reason == "ARGUMENTS_INVALID"
        assert stub.Submit(submit(request_id="r"), timeout=SECONDS).task == first
        assert stub.Retry(retry, timeout=SECONDS).task == retried
        assert stub.SubmitBatch(batch, timeout=SECONDS) == submitted
