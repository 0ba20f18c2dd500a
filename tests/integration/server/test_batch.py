"""SubmitBatch: many at once, each for itself."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2
from sqlalchemy import Connection, event

from support.requests import submit
from support.serving import SECONDS, InProcessServer, refused
from taskgate.store.database.engine import Database
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def test_a_thousand_with_every_tenth_bad(server: InProcessServer, database: Database) -> None:
    stub = server.stub()
    stub.Submit(submit(), timeout=SECONDS)
    commits: list[int] = []

    def count(connection: Connection) -> None:
        if connection.get_execution_options().get("taskgate_mode") == "write":
            commits.append(1)

    requests = [
        submit("demo.add", n, *([] if n % 10 == 0 else [n]), labels={"n": str(n)})
        for n in range(1000)
    ]
    event.listen(server.server._database.engine, "commit", count)
    batch = task_service_pb2.SubmitBatchRequest(requests=requests)
    results = stub.SubmitBatch(batch, timeout=SECONDS).results
    assert len(results) == 1000
    for number, result in enumerate(results):
        if number % 10:
            assert result.task.state == task_pb2.TASK_STATE_QUEUED
            assert result.task.labels["n"] == str(number)
        else:
            assert result.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
            info = error_details_pb2.ErrorInfo()
            assert result.error.details[0].Unpack(info)
            assert info.reason == "ARGUMENTS_INVALID"
    assert len(commits) < 20  # the batch's own, and the dispatcher's and writer's after it


def test_all_bad(stub: TaskServiceStub) -> None:
    batch = task_service_pb2.SubmitBatchRequest(requests=[submit("demo.nothing")] * 3)
    results = stub.SubmitBatch(batch, timeout=SECONDS).results
    assert [result.WhichOneof("outcome") for result in results] == ["error"] * 3


def test_none_and_too_many(stub: TaskServiceStub) -> None:
    for requests in ([], [submit()] * 1001):
        batch = task_service_pb2.SubmitBatchRequest(requests=requests)
        assert list(refused(stub.SubmitBatch, batch).violations) == ["requests"]
