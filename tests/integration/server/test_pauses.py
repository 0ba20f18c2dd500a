"""Pause, Resume and ListPauses: what they answer and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from support.requests import submit
from support.serving import SECONDS, refused
from taskgate.v1 import pauses_pb2, task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def pause(stub: TaskServiceStub, **fields: str) -> pauses_pb2.Pause:
    return stub.Pause(pauses_pb2.PauseRequest(**fields), timeout=SECONDS).pause


def test_a_queue_and_a_task_type_are_paused(stub: TaskServiceStub) -> None:
    of_queue = pause(stub, queue="celery", reason="because")
    assert (of_queue.queue, of_queue.reason) == ("celery", "because")
    of_type = pause(stub, task_type="demo.add")
    assert pause(stub, queue="celery", reason="another") == of_queue
    found = stub.ListPauses(pauses_pb2.ListPausesRequest(), timeout=SECONDS)
    assert list(found.pauses) == [of_queue, of_type]
    stats = stub.GetStats(task_service_pb2.GetStatsRequest(queues=["celery"]), timeout=SECONDS)
    assert stats.queues[0].pause == of_queue
    types = stub.ListTaskTypes(task_service_pb2.ListTaskTypesRequest(), timeout=SECONDS)
    assert {one.name for one in types.task_types if one.HasField("pause")} == {"demo.add"}
    answer = stub.Submit(submit(), timeout=SECONDS)
    assert answer.task.state == task_pb2.TASK_STATE_QUEUED


def test_pauses_are_listed_in_pages(stub: TaskServiceStub) -> None:
    for name in ("demo.add", "demo.echo", "demo.anything"):
        pause(stub, task_type=name)
    request = pauses_pb2.ListPausesRequest(page_size=2)
    first = stub.ListPauses(request, timeout=SECONDS)
    request.page_token = first.next_page_token
    second = stub.ListPauses(request, timeout=SECONDS)
    names = [one.task_type for one in [*first.pauses, *second.pauses]]
    assert names == ["demo.add", "demo.anything", "demo.echo"]
    assert not second.next_page_token


def test_what_is_resumed_was_paused(stub: TaskServiceStub) -> None:
    pause(stub, queue="celery")
    request = pauses_pb2.ResumeRequest(queue="celery")
    assert stub.Resume(request, timeout=SECONDS).was_paused
    assert not stub.Resume(request, timeout=SECONDS).was_paused
    assert not stub.ListPauses(pauses_pb2.ListPausesRequest(), timeout=SECONDS).pauses


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({}, "target", "FIELD_INVALID"),
        ({"queue": ""}, "queue", "FIELD_INVALID"),
        ({"queue": "celary"}, "queue", "FIELD_INVALID"),
        ({"task_type": "demo.ad"}, "task_type", "TASK_TYPE_UNKNOWN"),
        ({"queue": "celery", "reason": "x" * 1001}, "reason", "FIELD_INVALID"),
    ],
)
def test_pauses_that_are_refused(
    stub: TaskServiceStub, values: dict[str, Any], field: str, reason: str
) -> None:
    refusal = refused(stub.Pause, pauses_pb2.PauseRequest(**values))
    assert (list(refusal.violations), refusal.reason) == ([field], reason)


def test_a_resume_of_nothing_is_refused(stub: TaskServiceStub) -> None:
    refusal = refused(stub.Resume, pauses_pb2.ResumeRequest())
    assert list(refusal.violations) == ["target"]
