"""Attempts that a worker's main process claims, of which it may have to give some back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.worker import state as worker_state
from celery.worker.request import Request
from kombu.common import QoS
from kombu.message import Message
from kombu.serialization import dumps
from kombu.utils.limits import TokenBucket
from sqlalchemy import Connection

from support.records import read, recorded_statements, submit, upgraded
from support.waiting import wait_until
from taskgate.store import outbox, transitions, workers
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.lifecycle import Outcome, State
from taskgate.tasks import handover
from taskgate.tasks.base import TaskgateTask
from taskgate.tasks.messages import ATTEMPT_HEADER, message_of
from taskgate.tasks.recording import Recorder
from taskgate.tasks.worker import identity, intake
from taskgate.tasks.worker.counts import Counts
from taskgate.tasks.worker.intake import Intake
from taskgate.tasks.worker.look_ahead import LookAhead

SECONDS = 60
LEASE = timedelta(hours=1)


@dataclass
class Worker:
    """What Celery's worker is to an intake: a pool of threads that starts nothing by itself."""

    slots: int
    submitted: list[Any] = field(default_factory=list)
    given_back: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        transport = SimpleNamespace(driver_type="redis")
        self.pool = SimpleNamespace(uses_semaphore=False, num_processes=self.slots)
        self.consumer = SimpleNamespace(
            hub=None,
            qos=QoS(lambda prefetch_count: None, self.slots),  # noqa: ARG005 - called by name
            task_buckets={},
            qos_global=False,
            initial_prefetch_count=self.slots,
            conninfo=SimpleNamespace(transport=transport),
        )

    def process_task(self, request: Any) -> None:
        self.submitted.append(request)

    _process_task = process_task

    def start(self, request: Any) -> bool:
        """As a thread does that has become free."""
        given = handover.take(request.request_dict)
        assert given is not None
        assert given.start is not None
        return given.start()


@dataclass
class Case:
    """An intake and all around it."""

    app: Celery
    database: Database
    worker: Worker
    intake: Intake
    rejected: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)

    def submit(self, number: int = 1) -> list[str]:
        with self.database.write() as tx:
            return [submit(tx) for _ in range(number)]

    def request(self, task_id: str) -> Request:
        """A message of the task's current attempt, as a worker receives it."""
        sent = message_of(self.app, read(self.database, task_id))
        content_type, encoding, body = dumps(sent.body, serializer="json")
        channel = SimpleNamespace(
            basic_ack=lambda *_, **__: self.acknowledged.append(task_id),
            basic_reject=lambda *_, **__: self.rejected.append(task_id),
            no_ack_consumers=None,
        )
        message = Message(
            body,
            delivery_tag=task_id,
            channel=channel,
            headers=dict(sent.headers),
            content_type=content_type,
            content_encoding=encoding,
            properties=sent.properties,
            delivery_info={},
            accept={"application/json"},
        )
        request = Request(
            message,
            app=self.app,
            task=self.app.tasks["intake.add"],
            on_ack=message.ack_log_error,
            on_reject=message.reject_log_error,
        )
        worker_state.task_reserved(request)
        return request

    def receive(self, *task_ids: str) -> list[Request]:
        requests = [self.request(task_id) for task_id in task_ids]
        for request in requests:
            self.intake.receive(request)
        return requests

    def wait_submitted(self, number: int) -> None:
        wait_until(lambda: len(self.worker.submitted) >= number, SECONDS)


def add(x: int, y: int) -> int:
    return x + y


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = upgraded(database_url)
    yield database
    database.close()


@pytest.fixture
def make(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Case]]:
    monkeypatch.setattr(identity, "_current", identity.Identity("worker@here"))
    with database.write() as tx:
        workers.start(tx, identity.worker_id(None), {}, LEASE)
    made: list[Case] = []
    app: Any = Celery("test", task_cls=TaskgateTask, set_as_current=False)
    app.task(name="intake.add", shared=False)(add)
    app.finalize()

    def make(slots: int = 100) -> Case:
        worker = Worker(slots)
        recorder = Recorder(app, database)
        made.append(
            Case(
                app,
                database,
                worker,
                Intake(worker, recorder, LookAhead(), worker.given_back.set, Counts()),
            )
        )
        return made[-1]

    yield make
    for case in made:
        case.intake.stop()
    worker_state.reset_state()
    app.close()


def test_what_came_meanwhile_is_claimed_in_one_statement(
    make: Callable[..., Case], database: Database
) -> None:
    case = make()
    ids = case.submit(30)
    case.receive(*ids)
    with recorded_statements(database) as statements:
        case.intake.start()
        case.wait_submitted(30)
        claims = [s for s, _ in statements if "UPDATE taskgate_tasks" in s]
    assert len(claims) == 1
    assert {read(database, task_id).state for task_id in ids} == {State.RUNNING}
    assert all(case.worker.start(request) for request in case.worker.submitted)


def test_who_loses_is_acknowledged_and_never_starts(
    make: Callable[..., Case], database: Database
) -> None:
    case = make()
    claimed, aborted, mine = case.submit(3)
    requests = [case.request(task_id) for task_id in (claimed, aborted, mine)]
    with database.write() as tx:
        transitions.claim(tx, claimed, 1, "another")
        transitions.request_abort(tx, aborted, by="", reason="")
    case.intake.start()
    for request in requests:
        case.intake.receive(request)
    wait_until(lambda: set(case.acknowledged) == {claimed, aborted}, SECONDS)
    case.wait_submitted(1)
    assert [request.id for request in case.worker.submitted] == [mine]
    assert set(worker_state.requests) == {mine}


def test_a_message_that_comes_twice_runs_once(make: Callable[..., Case]) -> None:
    case = make()
    [task_id] = case.submit()
    case.receive(task_id, task_id)
    case.intake.start()
    wait_until(lambda: case.acknowledged == [task_id], SECONDS)
    assert len(case.worker.submitted) == 1


def test_no_more_is_claimed_than_there_are_slots_for(
    make: Callable[..., Case], database: Database
) -> None:
    case = make(slots=2)
    ids = case.submit(3)
    case.receive(*ids)
    case.intake.start()
    case.wait_submitted(2)
    # What was taken beyond them goes back to its queue.
    wait_until(lambda: len(case.rejected) == 1, SECONDS)
    [last] = case.rejected
    assert read(database, last).state is State.QUEUED


def test_what_cannot_start_soon_is_given_back(
    make: Callable[..., Case], database: Database
) -> None:
    case = make()
    [task_id] = case.submit()
    [request] = case.receive(task_id)
    case.intake.start()
    case.wait_submitted(1)
    assert case.worker.given_back.wait(SECONDS)
    task = read(database, task_id)
    assert (task.state, task.attempt, task.worker_losses) == (State.QUEUED, 2, 0)
    assert [one.outcome for one in task.past_attempts] == [Outcome.RETURNED]
    assert not case.worker.start(request)
    with database.read() as tx:
        assert outbox.count(tx, "celery", 10) == 1


def test_what_has_started_is_not_given_back(
    make: Callable[..., Case], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LONGEST_HELD_SECONDS", SECONDS)
    case = make()
    first, second = case.submit(2)
    case.intake.start()
    [request] = case.receive(first)
    case.wait_submitted(1)
    assert case.worker.start(request)
    monkeypatch.setattr(intake, "LONGEST_HELD_SECONDS", 0.2)
    case.receive(second)
    assert case.worker.given_back.wait(SECONDS)
    assert read(database, first).state is State.RUNNING
    assert read(database, second).state is State.QUEUED


def test_what_may_have_been_given_back_never_starts(
    make: Callable[..., Case], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, committed, may_answer = database.write, threading.Event(), threading.Event()

    @contextmanager
    def unanswered() -> Iterator[Connection]:
        with write() as tx:
            yield tx
        committed.set()
        if not may_answer.is_set():
            raise StoreUnavailable("nobody answered, though it was committed")

    case = make()
    [task_id] = case.submit()
    [request] = case.receive(task_id)
    monkeypatch.setattr(database, "write", unanswered)
    case.intake.start()
    assert committed.wait(SECONDS)
    assert not case.worker.start(request)
    assert task_id in case.intake.holds()
    may_answer.set()
    assert case.worker.given_back.wait(SECONDS)
    task = read(database, task_id)
    assert (task.state, task.attempt) == (State.QUEUED, 2)
    assert case.acknowledged == [task_id]


def test_a_worker_that_stops_gives_all_back_at_once(
    make: Callable[..., Case], database: Database
) -> None:
    case = make(slots=2)
    ids = case.submit(4)
    case.receive(*ids)
    case.intake.start()
    case.wait_submitted(2)
    case.intake.stop()
    assert {read(database, task_id).state for task_id in ids} == {State.QUEUED}
    assert len(case.rejected) + len(case.acknowledged) == 4
    assert not any(case.worker.start(request) for request in case.worker.submitted)
    assert not worker_state.requests


def test_what_was_aborted_before_it_started_is_aborted_when_given_back(
    make: Callable[..., Case], database: Database
) -> None:
    case = make()
    [task_id] = case.submit()
    [request] = case.receive(task_id)
    case.intake.start()
    case.wait_submitted(1)
    with database.write() as tx:
        transitions.request_abort(tx, task_id, by="someone", reason="")
    case.intake.stop()
    assert read(database, task_id).state is State.ABORTED
    assert not case.worker.start(request)


def test_a_claim_that_was_not_confirmed_is_recognised(
    make: Callable[..., Case], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make()
    [task_id] = case.submit()
    unconfirmed = _fail_after_commit(monkeypatch, database)
    case.receive(task_id)
    case.intake.start()
    case.wait_submitted(1)
    assert unconfirmed == [1]
    assert case.acknowledged == []


def test_a_second_message_of_what_runs_here_is_not_taken_for_an_unconfirmed_claim(
    make: Callable[..., Case], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make()
    [task_id] = case.submit()
    again = case.request(task_id)
    case.intake.start()
    case.receive(task_id)
    case.wait_submitted(1)
    unconfirmed = _fail_after_commit(monkeypatch, database)
    case.intake.receive(again)
    wait_until(lambda: case.acknowledged == [task_id], SECONDS)
    assert unconfirmed == [1]
    assert len(case.worker.submitted) == 1


def quick(case: Case) -> LookAhead:
    look_ahead = case.intake._look_ahead
    look_ahead.observe(0.0001)
    return look_ahead


def test_a_worker_of_quick_tasks_takes_more_than_it_has_slots(make: Callable[..., Case]) -> None:
    case = make(slots=2)
    ahead = 2 * quick(case).per_slot
    case.receive(*case.submit())
    case.intake.start()
    wait_until(lambda: case.worker.consumer.qos.value == 2 + ahead, SECONDS)
    case.intake._look_ahead.observe(10)
    case.receive(*case.submit())
    wait_until(lambda: case.worker.consumer.qos.value == 2, SECONDS)


def test_it_takes_no_more_where_a_rate_limit_could_hold_it(make: Callable[..., Case]) -> None:
    case = make(slots=2)
    quick(case)
    case.worker.consumer.task_buckets["intake.add"] = TokenBucket(1)
    case.receive(*case.submit())
    case.intake.start()
    case.wait_submitted(1)
    assert case.worker.consumer.qos.value == 2


def test_it_takes_no_more_of_what_other_producers_send(make: Callable[..., Case]) -> None:
    case = make(slots=2)
    quick(case)
    mine, others = (case.request(task_id) for task_id in case.submit(2))
    del others.request_dict[ATTEMPT_HEADER]
    case.intake.receive(others)
    assert case.worker.submitted == [others]
    case.intake.receive(mine)
    case.intake.start()
    case.wait_submitted(2)
    assert case.worker.consumer.qos.value == 2


def test_while_the_database_is_away_all_wait(
    make: Callable[..., Case], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make()
    ids = case.submit(5)
    autocommit, tries, is_away = database.autocommit, [], [1]

    @contextmanager
    def away() -> Iterator[Connection]:
        if is_away:
            tries.append(1)
            raise StoreUnavailable("the database is away")
        with autocommit() as tx:
            yield tx

    monkeypatch.setattr(database, "autocommit", away)
    case.receive(*ids)
    case.intake.start()
    wait_until(lambda: len(tries) >= 2, SECONDS)
    assert not case.worker.submitted
    is_away.clear()
    case.wait_submitted(5)
    assert case.acknowledged == case.rejected == []


def test_a_worker_whose_lease_was_ended_claims_nothing_before_it_has_another(
    make: Callable[..., Case], database: Database
) -> None:
    case = make()
    [task_id] = case.submit()
    mine = identity.current()
    assert mine is not None
    with database.write() as tx:
        workers.stop(tx, mine.worker_id)
    with recorded_statements(database) as statements:
        case.receive(task_id)
        case.intake.start()
        wait_until(lambda: sum("UPDATE taskgate_tasks" in s for s, _ in statements) >= 2, SECONDS)
    assert not case.worker.submitted
    with database.write() as tx:
        mine.replace(lambda worker_id: workers.start(tx, worker_id, {}, LEASE))
    case.wait_submitted(1)
    assert read(database, task_id).worker == mine.worker_id


def _fail_after_commit(monkeypatch: pytest.MonkeyPatch, database: Database) -> list[int]:
    """Have the next commit not be confirmed; what this returns says that it was not."""
    autocommit = database.autocommit
    unconfirmed: list[int] = []

    @contextmanager
    def once() -> Iterator[Connection]:
        with autocommit() as tx:
            yield tx
        if not unconfirmed:
            unconfirmed.append(1)
            raise StoreUnavailable("no answer to the commit")

    monkeypatch.setattr(database, "autocommit", once)
    return unconfirmed
