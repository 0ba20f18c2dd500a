"""Lists are whole while tasks come and go: nothing that was there all the time is skipped, and
nothing is listed twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.deployment import Deployment
from support.requests import duration, submit
from support.serving import SECONDS, refused
from taskgate.store import sweeping
from taskgate.store.record import new_task_id
from taskgate.v1 import task_pb2, task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

TASKS = 200


def some(run: str, number: int) -> task_service_pb2.SubmitBatchRequest:
    """Tasks that stay where they are."""
    requests = [
        submit("journal.run", n, delay=duration(3_600), labels={"run": run, "odd": str(n % 2)})
        for n in range(number)
    ]
    return task_service_pb2.SubmitBatchRequest(requests=requests)


def submit_some(stub: TaskServiceStub, run: str, number: int) -> list[str]:
    results = stub.SubmitBatch(some(run, number), timeout=SECONDS).results
    return [result.task.id for result in results]


@contextmanager
def coming_and_going(
    deployment: Deployment, stub: TaskServiceStub, run: str, going: list[str]
) -> Iterator[None]:
    """Meanwhile tasks are submitted all the time, and some are deleted."""
    stopped = threading.Event()
    errors: list[Exception] = []

    def come_and_go() -> None:
        try:
            while not stopped.is_set():
                submit_some(stub, run, 3)
                with deployment.database.write() as tx:
                    sweeping.delete_records(tx, [going.pop() for _ in range(min(3, len(going)))])
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(60)
    if errors:
        raise errors[0]


FILTERS: dict[str, dict[str, Any]] = {
    "label": {},
    "labels": {"labels": {"odd": "1"}},
    "state": {"states": [task_pb2.TASK_STATE_SCHEDULED]},
    "type and queue": {"task_types": ["journal.run"], "queues": ["celery"]},
}


@pytest.mark.parametrize(
    "view", [task_service_pb2.TASK_VIEW_BASIC, task_service_pb2.TASK_VIEW_FULL]
)
@pytest.mark.parametrize("name", FILTERS)
def test_nothing_is_skipped_and_nothing_told_twice(
    deployment: Deployment, name: str, view: task_service_pb2.TaskView.ValueType
) -> None:
    stub = deployment.stub()
    run = new_task_id()
    there = [task_id for _ in range(10) for task_id in submit_some(stub, run, TASKS // 10)]
    going = random.Random(1).sample(there, TASKS // 3)
    staying = [task_id for task_id in there if task_id not in going]
    if name == "labels":
        staying = [task_id for task_id in staying if there.index(task_id) % 2]
    request = task_service_pb2.ListRequest(page_size=7, view=view, **FILTERS[name])
    request.labels["run"] = run
    listed: list[str] = []
    with coming_and_going(deployment, stub, run, going):
        while True:
            page = stub.List(request, timeout=SECONDS)
            listed += [task.id for task in page.tasks]
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    assert len(listed) == len(set(listed))
    assert set(staying) <= set(listed)


def test_full_pages_of_large_tasks_are_short_and_complete(deployment: Deployment) -> None:
    stub = deployment.stub()
    run = new_task_id()
    for _ in range(4):
        large = submit("journal.run", 0, "x" * 400_000, delay=duration(3_600), labels={"run": run})
        stub.Submit(large, timeout=SECONDS)
    request = task_service_pb2.ListRequest(labels={"run": run}, page_size=1_000)
    assert len(stub.List(request, timeout=SECONDS).tasks) == 4
    request.view = task_service_pb2.TASK_VIEW_FULL
    sizes = []
    while True:
        page = stub.List(request, timeout=SECONDS)
        sizes.append(len(page.tasks))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sizes == [1, 1, 1, 1]


def test_a_token_is_of_its_filters_only(deployment: Deployment) -> None:
    stub = deployment.stub()
    run = new_task_id()
    submit_some(stub, run, 3)
    first = task_service_pb2.ListRequest(labels={"run": run}, page_size=1)
    token = stub.List(first, timeout=SECONDS).next_page_token
    assert run not in token
    other_size = task_service_pb2.ListRequest(labels={"run": run}, page_size=2, page_token=token)
    assert len(stub.List(other_size, timeout=SECONDS).tasks) == 2
    for other in (
        task_service_pb2.ListRequest(page_token=token),
        task_service_pb2.ListRequest(labels={"run": "other"}, page_token=token),
        task_service_pb2.ListRequest(labels={"run": run}, queues=["celery"], page_token=token),
    ):
        assert refused(stub.List, other).reason == "PAGE_TOKEN_INVALID"
    workers = task_service_pb2.ListWorkersRequest(page_token=token)
    assert refused(stub.ListWorkers, workers).reason == "PAGE_TOKEN_INVALID"
