"""Aborts at random moments: against the claim, the end, the wait for a retry."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import pytest

from support.deployment import Deployment
from support.journal import Entry
from taskgate.v1 import task_pb2
from taskgate.v1.task_pb2 import (
    TASK_STATE_ABORTED,
    TASK_STATE_ABORTING,
    TASK_STATE_FAILED,
    TASK_STATE_SUCCEEDED,
)
from taskgate.v1.task_service_pb2 import AbortRequest, GetRequest, SubmitRequest
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub

INTERLEAVINGS = 1_000
AT_ONCE = 20
"""Client threads, each with one task at a time; the worker can run as many."""

NO_ABORT = 0
"""Stands for the state of a task whose abort was refused because it was final."""


@dataclass
class Race:
    """One task, the aborts it got, and how it ended."""

    final: task_pb2.Task
    answers: list[task_pb2.Task | None]
    """What each abort answered, in their order; None: the task was final."""
    journal: list[Entry] = field(default_factory=list)


@pytest.fixture(scope="module")
def stub(deployment: Deployment) -> Iterator[TaskServiceStub]:
    """Calls a server whose tasks find a free thread at once."""
    options = ("--queues=idle-4", "--pool=threads", f"--concurrency={AT_ONCE}")
    with deployment.start_worker(*options):
        yield deployment.stub()


def random_task(chance: random.Random) -> SubmitRequest:
    request = SubmitRequest(queue="idle-4")
    match chance.choice(["run", "abortable", "flaky"]):
        case "run":
            request.task_type = "journal.run"
            request.kwargs["seconds"] = chance.uniform(0, 0.1)
        case "abortable":
            request.task_type = "journal.abortable"
            request.kwargs["seconds"] = chance.uniform(0, 0.6)
        case "flaky":
            request.task_type = "journal.flaky"
            request.kwargs["failures"] = chance.choice([1, 2, 6])
            request.retry_policy.max_attempts = 4
            request.retry_policy.initial_backoff.FromMilliseconds(chance.choice([1, 50, 200]))
            request.retry_policy.backoff_multiplier = 1
    return request


def abort(stub: TaskServiceStub, task_id: str) -> task_pb2.Task | None:
    try:
        return stub.Abort(AbortRequest(id=task_id), timeout=30).task
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call)
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION, error
        return None


def race(deployment: Deployment, stub: TaskServiceStub, seed: int) -> Race:
    chance = random.Random(seed)
    task_id = stub.Submit(random_task(chance), timeout=30).task.id
    answers = []
    for _ in range(chance.choice([1, 1, 2])):
        time.sleep(chance.choice([0, chance.uniform(0, 0.05), chance.uniform(0, 0.5)]))
        answers.append(abort(stub, task_id))
    return Race(deployment.wait_final(stub, task_id), answers)


def check_history(race: Race) -> None:
    """The record and the journal tell one story."""
    task = race.final
    starts = [entry.attempt for entry in race.journal if entry.word == "start"]
    words = {entry.word for entry in race.journal}
    assert starts == [attempt.number for attempt in task.attempts]
    assert len(set(starts)) == len(starts)
    assert ("end" in words) == (task.state == TASK_STATE_SUCCEEDED)
    assert ("saw-abort" not in words) or task.state == TASK_STATE_ABORTED
    assert task.HasField("abort") == any(answer is not None for answer in race.answers)


def check_answers(race: Race) -> None:
    """What an abort answered stayed true."""
    for answer in race.answers:
        if answer is None:
            continue
        assert answer.state in (TASK_STATE_ABORTED, TASK_STATE_ABORTING)
        assert answer.abort.request_time == race.final.abort.request_time
        if answer.state == TASK_STATE_ABORTED:
            assert answer == race.final
        else:
            assert answer.attempt == race.final.attempt  # ABORTING is never retried


def outcome(race: Race) -> str:
    """Which of the races this was."""
    task, first = race.final, race.answers[0]
    if first is None:
        return "final before the abort"
    if first.state == TASK_STATE_ABORTED:
        return "aborted between attempts" if race.journal else "aborted before the claim"
    return f"{task_pb2.TaskState.Name(task.state)} after an abort while it ran"


class FinalWatch:
    """Looks at final tasks again and again, while others are still running."""

    def __init__(self, stub: TaskServiceStub) -> None:
        self._stub = stub
        self._finals: dict[str, task_pb2.Task] = {}
        self._stop = threading.Event()
        self.changed: list[tuple[task_pb2.Task, task_pb2.Task]] = []

    def add(self, task: task_pb2.Task) -> None:
        self._finals[task.id] = task

    def look(self, tasks: list[task_pb2.Task]) -> None:
        for task in tasks:
            now = self._stub.Get(GetRequest(id=task.id), timeout=30).task
            if now != task:
                self.changed.append((task, now))

    def run(self) -> None:
        while not self._stop.wait(0.05):
            self.look(random.choices(list(self._finals.values()) or [], k=5) if self._finals else [])

    def stop(self) -> None:
        self._stop.set()


def run_races(deployment: Deployment, stub: TaskServiceStub, seed: int) -> list[Race]:
    watch = FinalWatch(stub)

    def one(number: int) -> Race:
        raced = race(deployment, stub, seed + number)
        watch.add(raced.final)
        if number % 3 == 0:
            abort(stub, raced.final.id)  # too late
        return raced

    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        watching = pool.submit(watch.run)
        try:
            races = list(pool.map(one, range(INTERLEAVINGS)))
        finally:
            watch.stop()
        watching.result()
    watch.look([raced.final for raced in races])
    assert watch.changed == []
    return races


@pytest.mark.timeout(240)
def test_no_final_state_changes_and_no_aborted_task_starts(
    deployment: Deployment, stub: TaskServiceStub
) -> None:
    seed = random.randrange(10**9)
    print("seed", seed)
    races = run_races(deployment, stub, seed)
    by_id = {raced.final.id: raced for raced in races}
    for entry in deployment.journal.entries():
        if entry.task_id in by_id:
            by_id[entry.task_id].journal.append(entry)
    for raced in races:
        check_history(raced)
        check_answers(raced)
    outcomes = Counter(map(outcome, races))
    print(outcomes)
    assert {
        "final before the abort",
        "aborted before the claim",
        "aborted between attempts",
        "TASK_STATE_ABORTED after an abort while it ran",
        "TASK_STATE_SUCCEEDED after an abort while it ran",
    } <= set(outcomes)
    assert {raced.final.state for raced in races} == {
        TASK_STATE_ABORTED,
        TASK_STATE_FAILED,
        TASK_STATE_SUCCEEDED,
    }
