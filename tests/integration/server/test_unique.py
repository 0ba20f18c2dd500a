"""Unique keys: what Submit, SubmitBatch and Retry answer while a task holds one."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from support.records import WORKER
from support.requests import submit
from support.serving import SECONDS, refused
from taskgate.store import transitions
from taskgate.store.database.engine import Database
from taskgate.v1 import operations_pb2, task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def unique(**values: Any) -> task_pb2.Unique:
    return task_pb2.Unique(**{"key": "k", **values})


def end(database: Database, task_id: str) -> None:
    with database.write() as tx:
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert transitions.succeed(tx, task_id, 1, "3")


def test_the_holder_is_named_or_answered(stub: TaskServiceStub) -> None:
    first = stub.Submit(submit(unique=unique()), timeout=SECONDS).task
    assert (first.unique.key, first.unique.until) == ("k", task_pb2.UNIQUE_UNTIL_END)
    refusal = refused(stub.Submit, submit(unique=unique()))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "UNIQUE_KEY_HELD")
    assert refusal.metadata["task_id"] == first.id
    holder = unique(on_conflict=task_pb2.UNIQUE_CONFLICT_ANSWER_HOLDER)
    assert stub.Submit(submit(unique=holder), timeout=SECONDS).task.id == first.id
    batch = task_service_pb2.SubmitBatchRequest(
        requests=[submit(unique=unique()), submit(unique=holder), submit()]
    )
    results = stub.SubmitBatch(batch, timeout=SECONDS).results
    assert results[0].error.code == grpc.StatusCode.ALREADY_EXISTS.value[0]
    assert results[1].task.id == first.id
    assert results[2].task.id


def test_a_retry_takes_the_key_over(database: Database, stub: TaskServiceStub) -> None:
    first = stub.Submit(submit(unique=unique()), timeout=SECONDS).task
    end(database, first.id)
    retry = task_service_pb2.RetryRequest(id=first.id)
    second = stub.Retry(retry, timeout=SECONDS).task
    assert second.unique.key == "k"
    refusal = refused(stub.Retry, retry)
    assert (refusal.reason, refusal.metadata["task_id"]) == ("UNIQUE_KEY_HELD", second.id)
    many = operations_pb2.RetryTasksRequest(selection=operations_pb2.TaskSelection(ids=[first.id]))
    operation = stub.RetryTasks(many, timeout=SECONDS).operation
    watch = operations_pb2.WatchOperationRequest(id=operation.id)
    *_, last = stub.WatchOperation(watch, timeout=SECONDS)
    assert dict(last.operation.outcomes) == {"UNIQUE_KEY_HELD": 1}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"key": ""}, "unique.key"),
        ({"key": "x" * 256}, "unique.key"),
        ({"until": 9}, "unique.until"),
        ({"on_conflict": 9}, "unique.on_conflict"),
        ({"ttl": Duration(seconds=-1)}, "unique.ttl"),
        ({"ttl": Duration(seconds=1), "until": task_pb2.UNIQUE_UNTIL_START}, "unique.ttl"),
    ],
)
def test_what_is_refused(stub: TaskServiceStub, values: dict[str, Any], field: str) -> None:
    refusal = refused(stub.Submit, submit(unique=unique(**values)))
    assert (list(refusal.violations), refusal.reason) == ([field], "FIELD_INVALID")
