"""GetStats and ListQueues: what is going on, also where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from support.records import submitted_in
from support.requests import submit
from support.serving import SECONDS, InProcessServer, refused
from taskgate.server.settings import ServerSettings
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.v1 import stats_pb2, task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


def get(stub: TaskServiceStub, *queues: str) -> task_service_pb2.GetStatsResponse:
    return stub.GetStats(task_service_pb2.GetStatsRequest(queues=queues), timeout=SECONDS)


def test_tasks_are_counted(database: Database, stub: TaskServiceStub) -> None:
    with database.write() as tx:
        for state in State:
            submitted_in(tx, state, queue="mail")
    answer = get(stub)
    assert {one.state: one.tasks for one in answer.states} == {
        task_pb2.TaskState.Value(f"TASK_STATE_{state}"): 1 for state in State
    }
    assert not any(one.estimated for one in answer.states)
    activity = answer.activity
    live = (
        activity.scheduled,
        activity.queued,
        activity.running,
        activity.retrying,
        activity.aborting,
    )
    assert live == (1, 1, 1, 1, 1)
    rates = activity.last_minute
    assert (rates.submits, rates.successes, rates.failures) == (9, 1, 1)
    assert (rates.aborts, rates.expiries) == (1, 1)
    assert timedelta(0) < activity.oldest_age.ToTimedelta() < timedelta(minutes=5)
    assert [one.task_type for one in answer.types] == ["demo.add"]
    mail = next(one for one in answer.queues if one.name == "mail")
    assert mail.activity == activity
    assert (mail.worker_count, mail.slots) == (0, 0)


def test_a_queue_that_is_named_is_answered(stub: TaskServiceStub) -> None:
    answer = get(stub, "nobody's", "celery")
    assert [one.name for one in answer.queues] == ["nobody's", "celery"]
    nothing = stats_pb2.Activity(last_minute=stats_pb2.Rates())
    assert answer.queues[0] == stats_pb2.Queue(name="nobody's", activity=nothing)
    assert answer.queues[1].worker_count == 1
    assert answer.queues[1].slots == answer.slots
    assert not answer.activity.HasField("oldest_age")


@pytest.mark.parametrize(
    ("queues", "field"), [([""], "queues[0]"), (["x" * 300], "queues[0]"), (["x"] * 101, "queues")]
)
def test_queues_that_cannot_be(stub: TaskServiceStub, queues: list[str], field: str) -> None:
    refusal = refused(stub.GetStats, task_service_pb2.GetStatsRequest(queues=queues))
    assert refusal.reason == "FIELD_INVALID"
    assert list(refusal.violations) == [field]


def test_queues_are_listed_in_pages_by_name(
    make_settings: Callable[..., ServerSettings], database: Database
) -> None:
    with database.write() as tx:
        for name in ("b", "c", "ä"):
            submitted_in(tx, State.QUEUED, queue=name)
    with InProcessServer(make_settings(taskgate_queues=("a", "z"))) as server:
        stub = server.stub()
        request = task_service_pb2.ListQueuesRequest(page_size=2)
        found: list[stats_pb2.Queue] = []
        while True:
            page = stub.ListQueues(request, timeout=SECONDS)
            assert len(page.queues) <= 2
            found += page.queues
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        assert [one.name for one in found] == ["a", "b", "c", "celery", "z", "ä"]
        assert [one.activity.queued for one in found] == [0, 1, 1, 0, 0, 1]
        other = task_service_pb2.ListQueuesRequest(page_token="x")
        assert refused(stub.ListQueues, other).reason == "PAGE_TOKEN_INVALID"


def test_a_new_reading_has_what_was_submitted(stub: TaskServiceStub) -> None:
    stub.Submit(submit(), timeout=SECONDS)
    assert get(stub).activity.queued == 1
