"""SubmitBatch: a thousand at once, each answered as a Submit of its own would be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.rpc import status_pb2
from grpc_status import rpc_status

from support.deployment import Deployment
from support.requests import duration, submit, submit_text, watch
from support.serving import SECONDS
from taskgate.store.record import new_task_id
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

BAD: dict[str, Callable[[], task_service_pb2.SubmitRequest]] = {
    "no such type": lambda: submit("demo.ad", 1, 2),
    "no type": lambda: submit(""),
    "a missing argument": lambda: submit("demo.add", 1),
    "a wrong argument": lambda: submit("demo.add", 1, "two"),
    "no JSON": lambda: submit("demo.add", arguments_json="{"),
    "too large": lambda: submit_text("demo.echo", "x" * (1 << 20)),
    "a negative delay": lambda: submit(delay=duration(-1)),
    "two times": lambda: submit(delay=duration(1), schedule_time={"seconds": 1}),
    "no such queue": lambda: submit(queue="nobody-serves-this"),
    "a priority": lambda: submit(priority=10),
    "a long label": lambda: submit(labels={"k": "v" * 64}),
    "a long request_id": lambda: submit(request_id="r" * 129),
    "a wrong policy": lambda: submit(retry_policy={"max_attempts": -1}),
    "several": lambda: submit("demo.add", 1, "two", priority=-1, ttl=duration(0)),
}


def batch(
    stub: TaskServiceStub, requests: list[task_service_pb2.SubmitRequest]
) -> list[task_service_pb2.SubmitBatchResult]:
    message = task_service_pb2.SubmitBatchRequest(requests=requests)
    return list(stub.SubmitBatch(message, timeout=SECONDS).results)


def status_of_submit(
    stub: TaskServiceStub, request: task_service_pb2.SubmitRequest
) -> status_pb2.Status:
    with pytest.raises(Exception, match="StatusCode") as caught:
        stub.Submit(request, timeout=SECONDS)
    status: status_pb2.Status | None = rpc_status.from_call(caught.value)  # type: ignore[arg-type]  # an RpcError is a Call
    assert status is not None
    return status


def test_a_bad_item_is_answered_as_submit_would_answer_it(deployment: Deployment) -> None:
    stub = deployment.stub()
    requests = [make() for make in BAD.values()]
    for name, request, result in zip(BAD, requests, batch(stub, requests), strict=True):
        assert result.WhichOneof("outcome") == "error", name
        assert result.error == status_of_submit(stub, request), name


def test_a_thousand_with_every_tenth_bad_all_run(deployment: Deployment) -> None:
    stub = deployment.stub()
    bad = list(BAD.values())
    requests = [
        bad[n // 10 % len(bad)]() if n % 10 == 9 else submit("journal.run", 0, n)
        for n in range(1_000)
        if n // 10 % len(bad) != 5 or n % 10 != 9  # 1 MiB each would be too much at once
    ]
    results = batch(stub, requests)
    assert [result.WhichOneof("outcome") for result in results] == [
        "task" if request.task_type == "journal.run" else "error" for request in requests
    ]
    good = [result.task for result in results if result.HasField("task")]
    assert len(good) == 900
    assert len({task.id for task in good}) == 900
    assert {task.state for task in good} == {task_pb2.TASK_STATE_QUEUED}
    assert not any(task.HasField("args") for task in good)
    ends = [
        response.task
        for response in stub.Watch(watch({task.id: 0 for task in good}), timeout=100)
        if response.task.HasField("finish_time")
    ]
    assert {(task.state, task.attempt) for task in ends} == {(task_pb2.TASK_STATE_SUCCEEDED, 1)}
    returned = {task.id: task.result.number_value for task in ends}
    wanted = [n for n in range(1_000) if n % 10 != 9]
    assert [returned[task.id] for task in good] == wanted
    starts = deployment.journal.count("start")
    assert {starts[task.id] for task in good} == {1}


def test_request_ids_work_item_by_item(deployment: Deployment) -> None:
    stub = deployment.stub()
    names = [new_task_id() for _ in range(3)]
    first = [submit("demo.add", 1, n, request_id=name) for n, name in enumerate(names)]
    once = batch(stub, first)
    other = submit("demo.add", 7, 7, request_id=names[1])
    again = batch(stub, [*first, other, first[0], submit("demo.add", 1)])
    assert [result.task.id for result in again[:3]] == [result.task.id for result in once]
    assert again[4].task.id == once[0].task.id
    assert again[3].error == status_of_submit(stub, other)
    assert again[5].HasField("error")
    assert stub.Submit(first[2], timeout=SECONDS).task.id == once[2].task.id


def test_one_request_id_twice_in_a_batch_is_one_task(deployment: Deployment) -> None:
    name = new_task_id()
    twice: list[Any] = [submit("journal.run", 0, 1, request_id=name) for _ in range(2)]
    stub = deployment.stub()
    results = batch(stub, [*twice, submit("journal.run", 0, 2, request_id=name)])
    assert results[0].task.id == results[1].task.id
    assert results[2].error.message
    deployment.wait_final(stub, results[0].task.id)
    assert deployment.journal.count("start")[results[0].task.id] == 1
