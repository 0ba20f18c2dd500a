"""Submit: what is recorded, and what is answered."""

from __future__ import annotations

from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

SECONDS = 20


def test_a_submitted_task_can_be_looked_up(stub: TaskServiceStub) -> None:
    request = task_service_pb2.SubmitRequest(task_type="demo.add")
    request.args.extend([1, 2])
    task = stub.Submit(request, timeout=SECONDS).task
    assert task.state == task_pb2.TASK_STATE_QUEUED
    found = stub.Get(task_service_pb2.GetRequest(id=task.id), timeout=SECONDS).task
    assert found == task
