"""The metrics: counters that neither fall nor count twice, from one server at a time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import accumulate
from typing import Any

import grpc
import pytest
from sqlalchemy import literal, update

from support.metrics import Sample, Samples, sample, scrape
from support.records import FAILURE, HOUR, NOW, PAST, new_task, submitted_in
from support.requests import submit
from support.serving import SECONDS, InProcessServer, refused
from support.waiting import wait_until
from taskgate.server.addresses import AddressUnavailable
from taskgate.server.metrics import record
from taskgate.server.metrics.counting import Counting, Series
from taskgate.server.settings import ServerSettings
from taskgate.store import (
    counting,
    mirror,
    pauses,
    reporting,
    schedules,
    sweeping,
    transitions,
    workers,
)
from taskgate.store import outbox as store_outbox
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import StoreUnavailable
from taskgate.store.lifecycle import State
from taskgate.store.pauses import Target
from taskgate.store.record import Timing
from taskgate.store.schedules import NewSchedule, TickOutcome, Ticks, to_template
from taskgate.store.sweeping import Orphan
from taskgate.store.tables import attempts, mirrors, outbox, tasks
from taskgate.store.tables import workers as workers_table
from taskgate.v1 import task_service_pb2

MakeSettings = Callable[..., ServerSettings]

HERE = "worker@here/1f2e"


def task_sample(metric: str, host: str = "here", **labels: str) -> Sample:
    return sample(metric, name="demo.add", hostname=host, queue_name="celery", **labels)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scrape reads anew."""
    monkeypatch.setattr(record, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(record, "LOAD", 1e9)


@contextmanager
def measured(settings: ServerSettings) -> Iterator[tuple[InProcessServer, Callable[[], Samples]]]:
    with InProcessServer(settings) as server:
        address = server.server.metrics_address
        assert address is not None
        yield server, lambda: scrape(address)


@pytest.fixture
def settings(make_settings: MakeSettings) -> ServerSettings:
    return make_settings(taskgate_metrics_address="127.0.0.1:0")


def run(database: Database, state: State) -> str:
    """A task in a state, and on a worker with an id such as workers have."""
    with database.write() as tx:
        task_id = submitted_in(tx, state)
        tx.execute(
            update(tasks)
            .where(tasks.c.id == task_id, tasks.c.worker.is_not(None))
            .values(worker=HERE)
        )
    return task_id


def pass_time(database: Database, counts: Counting, seconds: float) -> None:
    """As if all had happened so much earlier."""
    with database.write() as tx:
        for column in (
            tasks.c.created_at,
            tasks.c.started_at,
            tasks.c.finished_at,
            attempts.c.ended_at,
        ):
            earlier = {column.name: clock.later(column, literal(-seconds))}
            tx.execute(update(column.table).values(earlier))
    assert counts._since is not None
    counts._since -= timedelta(seconds=seconds)


def total(counts: Counting, database: Database, name: str) -> float:
    with database.read() as tx:
        found = counts.read(tx)
    return sum(number for series, number in found.items() if series.name == name)


def test_what_happened_before_is_not_counted(database: Database, settings: ServerSettings) -> None:
    for state in State:
        run(database, state)
    with measured(settings) as (_, metrics):
        found = metrics()
        assert found[task_sample("celery_task_sent_total", "generic")] == 0
        assert found[task_sample("celery_task_succeeded_total")] == 0
        assert found[task_sample("celery_task_started_total")] == 0


def test_tasks_are_counted_as_celery_exporter_does(
    database: Database, settings: ServerSettings
) -> None:
    with measured(settings) as (_, metrics):
        metrics()
        for state in State:
            run(database, state)
        found = metrics()
    assert found[task_sample("celery_task_sent_total", "generic")] == 9
    assert found[task_sample("celery_task_succeeded_total")] == 1
    assert found[task_sample("celery_task_failed_total", exception="ValueError")] == 1
    assert found[task_sample("celery_task_failed_total", exception="")] == 0
    assert found[task_sample("celery_task_rejected_total")] == 0
    assert found[task_sample("celery_task_revoked_total", "generic")] == 2
    assert found[task_sample("celery_task_runtime_bucket", le="+Inf")] == 1
    assert found[task_sample("celery_task_runtime_count")] == 1
    assert found[task_sample("celery_task_queue_wait_time_count")] == 2
    retried = sum(
        value for (name, _), value in found.items() if name == "celery_task_retried_total"
    )
    started = sum(
        value for (name, _), value in found.items() if name == "celery_task_started_total"
    )
    assert (retried, started) == (1, 5)
    assert found[sample("celery_queue_length", queue_name="celery")] == 1
    assert found[sample("celery_active_worker_count", queue_name="celery")] == 1


def test_a_counter_neither_falls_nor_counts_twice_while_time_passes(database: Database) -> None:
    counts = Counting()
    names = ("celery_task_sent", "celery_task_succeeded", "celery_task_started")
    run(database, State.SUCCEEDED)
    run(database, State.RUNNING)
    assert [total(counts, database, name) for name in names] == [0, 0, 0]
    expected: list[int] = []
    for number in range(1, 7):
        run(database, State.SUCCEEDED)
        run(database, State.RUNNING)
        expected = [2 * number, number, 2 * number]
        assert [total(counts, database, name) for name in names] == expected
        pass_time(database, counts, 3.0 if number % 2 else 8.0)
        assert [total(counts, database, name) for name in names] == expected
    pass_time(database, counts, 60.0)
    assert [total(counts, database, name) for name in names] == expected
    with database.write() as tx:
        running = tasks.c.state == State.RUNNING
        ended = {"state": State.SUCCEEDED, "finished_at": clock.now()}
        tx.execute(update(tasks).where(running).values(ended))
    assert [total(counts, database, name) for name in names] == [12, 13, 12]


def test_a_result_that_is_forgotten_lets_no_counter_fall(
    database: Database, settings: ServerSettings
) -> None:
    with measured(settings) as (_, metrics):
        metrics()
        task_id = run(database, State.SUCCEEDED)
        assert metrics()[task_sample("celery_task_succeeded_total")] == 1
        with database.write() as tx:
            sweeping.forget(tx, task_id)
        assert metrics()[task_sample("celery_task_succeeded_total")] == 1
        run(database, State.SUCCEEDED)
        run(database, State.SUCCEEDED)
        assert metrics()[task_sample("celery_task_succeeded_total")] == 2


def test_times_are_in_their_buckets(database: Database) -> None:
    counts = Counting()
    with database.write() as tx:
        counts.read(tx)
        for seconds in (0.02, 3.0, 3600.0):
            task_id = submitted_in(tx, State.SUCCEEDED)
            times = {
                "created_at": clock.in_(timedelta(seconds=-2 * seconds)),
                "started_at": clock.in_(timedelta(seconds=-seconds)),
                "finished_at": clock.now(),
            }
            tx.execute(update(tasks).where(tasks.c.id == task_id).values(times))
        found = {one: number for one, number in counts.read(tx).items() if number}
    for name, bounds in (
        ("celery_task_runtime", counting.RUN_BUCKETS),
        ("celery_task_queue_wait_time", counting.WAIT_BUCKETS),
    ):
        numbers = [
            found.get(Series(name, "celery", "demo.add", "here", str(index)), 0.0)
            for index in range(len(bounds) + 1)
        ]
        below = dict(zip([*bounds, None], accumulate(numbers), strict=True))
        assert (below[0.05], below[5.0], below[None]) == (1, 2, 3)
        total = found[Series(name, "celery", "demo.add", "here", "sum")]
        assert total == pytest.approx(3603.02, abs=1.0)


def test_attempts_that_do_not_end_their_task(database: Database) -> None:
    counts = Counting()
    with database.write() as tx:
        counts.read(tx)
        returned, lost, failed, given_up = (submitted_in(tx, State.RUNNING) for _ in range(4))
        transitions.give_back(tx, returned, 1)
        sweeping.put_back(tx, Orphan(lost, 1, "demo.add", HERE), 3)
        transitions.back_off(tx, failed, 1, FAILURE, delay=NOW, retries=1)
        sweeping.put_back(tx, Orphan(given_up, 1, "demo.add", HERE), 0)
        found = counts.read(tx)
    by_name = {
        name: sum(number for series, number in found.items() if series.name == name)
        for name in {series.name for series in found}
    }
    assert by_name["celery_task_received"] == 4
    assert by_name["celery_task_started"] == 3
    assert by_name["celery_task_retried"] == 1
    assert by_name["celery_task_failed"] == 1
    assert by_name["taskgate_worker_losses"] == 2


def test_one_of_several_servers_says_what_the_record_says(
    database: Database, settings: ServerSettings
) -> None:
    succeeded = task_sample("celery_task_succeeded_total")
    with measured(settings) as (_, second):
        with measured(settings) as (_, first):
            first()
            run(database, State.SUCCEEDED)
            found = [first(), second()]
            assert [one[sample("taskgate_reporter")] for one in found] == [1, 0]
            assert [one.get(succeeded) for one in found] == [1, None]
            assert all(one[sample("taskgate_record_up")] == 1 for one in found)
        # The first has stopped.
        run(database, State.SUCCEEDED)
        assert second()[succeeded] == 0
        run(database, State.SUCCEEDED)
        assert second()[succeeded] == 1


def test_a_server_that_is_not_scraped_reports_no_more(database: Database) -> None:
    with database.write() as tx:
        assert reporting.take(tx, "metrics", "a", HOUR)
        assert not reporting.take(tx, "metrics", "b", HOUR)
        assert reporting.take(tx, "metrics", "a", PAST)
        assert reporting.take(tx, "metrics", "b", HOUR)
        assert not reporting.take(tx, "metrics", "a", HOUR)
        reporting.leave(tx, "metrics", "a")
        assert not reporting.take(tx, "metrics", "a", HOUR)
        reporting.leave(tx, "metrics", "b")
        assert reporting.take(tx, "metrics", "a", HOUR)


def test_workers_and_what_they_counted(database: Database, settings: ServerSettings) -> None:
    with database.write() as tx:
        for name in ("w@alive/1", "w@dead/2", "w@stopped/3"):
            workers.start(tx, name, {"queues": ["celery"], "concurrency": 4}, HOUR)
        workers.renew(tx, "w@alive/1", HOUR, {"claims": 7, "lost_claims": 1})
        workers.stop(tx, "w@stopped/3")
        tx.execute(
            update(workers_table)
            .where(workers_table.c.id == "w@dead/2")
            .values(lease_expires_at=clock.in_(PAST))
        )
        sweeping.end_lost_leases(tx)
        task_id = submitted_in(tx, State.RUNNING)
        tx.execute(update(tasks).where(tasks.c.id == task_id).values(worker="w@alive/1"))
    with measured(settings) as (_, metrics):
        found = metrics()
    assert found[sample("celery_worker_up", hostname="alive")] == 1
    assert found[sample("celery_worker_up", hostname="dead")] == 0
    assert sample("celery_worker_up", hostname="stopped") not in found
    assert found[sample("celery_worker_tasks_active", hostname="alive")] == 1
    assert found[sample("taskgate_worker_claims_total", worker="w@alive/1")] == 7
    assert found[sample("taskgate_worker_lost_claims_total", worker="w@alive/1")] == 1
    assert found[sample("celery_active_process_count", queue_name="celery")] == 4


def test_ticks_are_counted_by_schedule(database: Database, settings: ServerSettings) -> None:
    new = NewSchedule("nightly", Timing(interval=86400.0), to_template(new_task()))
    with database.write() as tx:
        now = clock.read(tx)
        one = schedules.create(tx, new, now, "someone")
        counts = {TickOutcome.SUBMITTED: 3, TickOutcome.MISSED: 1}
        ticks = Ticks(now - HOUR, now + HOUR, TickOutcome.SUBMITTED, counts)
        assert schedules.record_ticks(tx, one, ticks)
    with measured(settings) as (_, metrics):
        found = metrics()
    for outcome, number in (("submitted", 3), ("missed", 1), ("failed", 0)):
        labels = {"schedule": "nightly", "outcome": outcome}
        assert found[sample("taskgate_schedule_ticks_total", **labels)] == number
    late = found[sample("taskgate_schedule_lateness_seconds", schedule="nightly")]
    assert 3600 <= late < 7200
    assert found[sample("taskgate_schedule_overdue_seconds")] == 0


def test_what_waits_and_what_is_late(database: Database, settings: ServerSettings) -> None:
    with database.write() as tx:
        submitted_in(tx, State.SCHEDULED)
        task_id = submitted_in(tx, State.QUEUED, queue="mail")
        pauses.pause(tx, Target(pauses.Kind.QUEUE, "mail"), by="me", reason="why not")
        an_hour_ago = clock.in_(-HOUR)
        tx.execute(update(tasks).where(tasks.c.id == task_id).values(created_at=an_hour_ago))
        tx.execute(
            update(outbox)
            .where(outbox.c.task_id == task_id)
            .values(publish_at=an_hour_ago, published_at=an_hour_ago)
        )
    with measured(settings) as (_, metrics):
        found = metrics()
    assert found[sample("taskgate_oldest_waiting_seconds", queue_name="mail")] >= 3600
    assert found[sample("taskgate_oldest_waiting_seconds", queue_name="celery")] == 0
    assert found[sample("taskgate_queue_paused", queue_name="mail")] == 1
    assert found[sample("taskgate_queue_paused", queue_name="celery")] == 0
    assert found[sample("taskgate_outbox_tasks")] == 2
    assert found[sample("taskgate_outbox_due_tasks")] == 0
    state = sample("taskgate_tasks", name="demo.add", queue_name="mail", state="QUEUED")
    assert found[state] == 1


def test_what_should_have_been_published(database: Database) -> None:
    with database.write() as tx:
        assert store_outbox.backlog(tx) == (0, 0, 0.0)
        submitted_in(tx, State.SCHEDULED)
        task_id = submitted_in(tx, State.QUEUED)
        late = {"publish_at": clock.in_(-HOUR), "published_at": None}
        tx.execute(update(outbox).where(outbox.c.task_id == task_id).values(late))
        backlog = store_outbox.backlog(tx)
    assert (backlog.rows, backlog.due) == (2, 1)
    assert backlog.due_seconds == pytest.approx(3600, abs=60)


def test_a_mirror_that_is_behind(database: Database, make_settings: MakeSettings) -> None:
    with database.write() as tx:
        assert mirror.lag(tx, "none") == timedelta(0)
        mirror.position(tx, "far")
        assert mirror.lag(tx, "far") == timedelta(0)
        task_id = submitted_in(tx, State.SUCCEEDED)
        tx.execute(update(mirrors).values(told_until=clock.in_(-2 * HOUR)))
        ended = {"finished_at": clock.in_(-HOUR)}
        tx.execute(update(tasks).where(tasks.c.id == task_id).values(ended))
        lag = mirror.lag(tx, "far")
    assert timedelta(minutes=59) < lag < timedelta(minutes=61)


def test_calls_are_counted_by_method_and_code(settings: ServerSettings) -> None:
    def calls(found: Samples, method: str, code: str) -> float:
        service = "taskgate.v1.TaskService" if method != "unknown" else "unknown"
        labels = {"grpc_service": service, "grpc_method": method, "grpc_code": code}
        return found.get(sample("grpc_server_handled_total", **labels), 0.0)

    expected = (
        ("Submit", "OK"),
        ("Submit", "INVALID_ARGUMENT"),
        ("Get", "NOT_FOUND"),
        ("Watch", "CANCELLED"),
        ("unknown", "UNIMPLEMENTED"),
    )
    with measured(settings) as (server, metrics):
        before = metrics()
        stub = server.stub()
        task_id = stub.Submit(submit(), timeout=SECONDS).task.id
        refused(stub.Submit, submit("demo.nothing"))
        refused(stub.Get, task_service_pb2.GetRequest(id="none"))
        watching = stub.Watch(
            task_service_pb2.WatchRequest(tasks=[task_service_pb2.WatchedTask(id=task_id)]),
            timeout=SECONDS,
        )
        next(watching)
        watching.cancel()
        unknown: Any = server.channel().unary_unary("/no.such/Call")
        with pytest.raises(grpc.RpcError):
            unknown(b"", timeout=SECONDS)

        def are_counted() -> bool:
            found = metrics()
            return all(calls(found, *one) - calls(before, *one) == 1 for one in expected)

        wait_until(are_counted, what="all are counted")  # which they are once they were answered
        after = metrics()
    taken = sample(
        "grpc_server_handling_seconds_count",
        grpc_service="taskgate.v1.TaskService",
        grpc_method="Submit",
    )
    assert after[taken] - before.get(taken, 0.0) == 2
    assert after[sample("taskgate_batch_calls_count", batcher="writer")] >= 1


def test_a_database_that_does_not_answer(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with measured(settings) as (_, metrics):
        assert metrics()[sample("taskgate_record_up")] == 1
        monkeypatch.setattr(reporting, "take", away)
        found = metrics()
        assert found[sample("taskgate_record_up")] == 0
        assert found[sample("taskgate_reporter")] == 0
        assert sample("process_start_time_seconds") in found
        monkeypatch.undo()
        assert metrics()[sample("taskgate_record_up")] == 1


def test_a_port_that_is_taken(make_settings: MakeSettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = make_settings(taskgate_metrics_address=address)
        with pytest.raises(AddressUnavailable, match="in use"), InProcessServer(settings):
            raise AssertionError("it listens")
