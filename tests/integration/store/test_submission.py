"""Recording tasks: all of a batch, each request id once, each id once."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from support.records import HOUR, NOW, PAST, new_task, read
from support.waiting import wait_until
from taskgate.store import insertion, outbox, submission, tables
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import RequestIdReused, SubmissionRefused, ValueRefused
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, RetryPolicy, Task, new_task_id


def submit_all(database: Database, *new: NewTask) -> list[str | SubmissionRefused]:
    with database.write() as tx:
        outcomes = submission.submit(tx, new)
    return [one.id if isinstance(one, Task) else one for one in outcomes]


def count(database: Database, table: str) -> int:
    with database.read() as tx:
        counted: int = tx.execute(
            select(func.count()).select_from(tables.metadata.tables[f"taskgate_{table}"])
        ).scalar_one()
    return counted


def test_what_is_inserted_is_all_that_submitters_give() -> None:
    given = {field.name for field in dataclasses.fields(NewTask)}
    assert set(insertion._COPIED) == given & set(tables.tasks.c.keys())


def requested(request_id: str, digest: str = "d", by: str = "someone") -> NewTask:
    return new_task(request_id=request_id, request_digest=digest, submitted_by=by)


def test_a_submitted_task_is_queued_and_its_submitters_to_publish(database: Database) -> None:
    new = new_task()
    with database.write() as tx:
        [task] = submission.submit(tx, [new], published=True)
    assert task == read(database, new.id)
    assert (task.state, task.version, task.attempt, task.root_id) == (State.QUEUED, 1, 1, new.id)
    assert task.attempts == ()
    with database.write() as tx:
        assert outbox.take_due(tx, 10) == []
        assert outbox.look(tx).seconds_until_due is None
    assert count(database, "outbox") == 1


def test_what_its_submitter_does_not_publish_is_due(database: Database) -> None:
    new = new_task()
    submit_all(database, new)
    with database.write() as tx:
        assert [task.id for task in outbox.take_due(tx, 10)] == [new.id]


def test_everything_submitted_comes_back(database: Database) -> None:
    policy = RetryPolicy(max_attempts=3, jitter=True, non_retryable_errors=("ValueError",))
    new = new_task(
        arguments='{"args": [9007199254740993, "😀"], "kwargs": {"%(x)s": "%s :y"}}',
        queue="100%",
        priority=9,
        labels={"team": "ä\0\ud800"},
        expire_time=datetime(2100, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        run_timeout=timedelta(seconds=1.5),
        retry_policy=policy,
        max_attempts=3,
        submitted_by="someone",
        retry_of="a",
        root_id="b",
    )
    with database.write() as tx:
        [answered] = submission.submit(tx, [new])
    task = read(database, new.id)
    assert answered == task
    for name in (
        *("arguments", "queue", "priority", "labels", "run_timeout", "retry_policy"),
        *("max_attempts", "submitted_by", "retry_of", "root_id", "task_type"),
    ):
        assert getattr(task, name) == getattr(new, name)
    assert task.expires_at == new.expire_time


def test_a_later_task_is_scheduled(database: Database) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    delayed, scheduled = new_task(delay=HOUR), new_task(schedule_time=later)
    submit_all(database, delayed, scheduled)
    task = read(database, delayed.id)
    assert (task.state, task.due_at) == (State.SCHEDULED, task.created_at + HOUR)
    assert read(database, scheduled.id).state is State.SCHEDULED
    with database.write() as tx:
        assert outbox.take_due(tx, 10) == []


@pytest.mark.parametrize(
    "values",
    [{"delay": NOW}, {"delay": PAST}, {"schedule_time": datetime(2000, 1, 1, tzinfo=UTC)}],
    ids=str,
)
def test_a_task_that_is_due_already_is_queued(database: Database, values: dict[str, Any]) -> None:
    new = new_task(**values)
    submit_all(database, new)
    assert read(database, new.id).state is State.QUEUED


def test_the_time_to_live_begins_when_the_task_is_due(database: Database) -> None:
    new, delayed = new_task(ttl=HOUR), new_task(ttl=HOUR, delay=HOUR)
    submit_all(database, new, delayed)
    task = read(database, new.id)
    assert task.expires_at == task.created_at + HOUR
    task = read(database, delayed.id)
    assert task.expires_at == task.created_at + 2 * HOUR


def test_a_delay_beyond_all_calendars_is_a_century(database: Database) -> None:
    new = new_task(delay=timedelta.max, ttl=timedelta.max)
    submit_all(database, new)
    task = read(database, new.id)
    assert task.due_at == task.created_at + clock.CENTURY


def test_a_batch_of_thousands_is_one_transaction(database: Database) -> None:
    new = [new_task() for _ in range(2_500)]
    assert submit_all(database, *new) == [task.id for task in new]
    assert count(database, "tasks") == count(database, "outbox") == 2_500


def test_nothing_submitted_is_nothing_done(database: Database) -> None:
    assert submit_all(database) == []


def test_a_repeated_request_is_answered_with_the_first_task(database: Database) -> None:
    first = requested("r")
    submit_all(database, first)
    assert submit_all(database, requested("r")) == [first.id]
    assert count(database, "tasks") == count(database, "outbox") == 1


def test_a_request_id_stands_for_one_content(database: Database) -> None:
    first = requested("r")
    submit_all(database, first)
    [error] = submit_all(database, requested("r", digest="other"))
    assert isinstance(error, RequestIdReused)
    assert (error.request_id, error.task_id) == ("r", first.id)
    assert count(database, "tasks") == 1


def test_each_caller_has_request_ids_of_its_own(database: Database) -> None:
    mine, yours = requested("r", by="me"), requested("r", by="you")
    assert submit_all(database, mine, yours) == [mine.id, yours.id]


def test_a_request_repeated_within_a_batch_is_one_task(database: Database) -> None:
    first, again, other = requested("r"), requested("r"), requested("r", digest="other")
    without = new_task()
    outcomes = submit_all(database, without, first, again, other)
    assert outcomes[:3] == [without.id, first.id, first.id]
    assert isinstance(outcomes[3], RequestIdReused)
    assert count(database, "tasks") == count(database, "outbox") == 2


def test_a_large_batch_of_repeated_requests(database: Database) -> None:
    first = [requested(str(number)) for number in range(1_500)]
    submit_all(database, *first)
    again = [requested(str(number)) for number in range(1_500)]
    assert submit_all(database, *again) == [task.id for task in first]


def test_a_request_id_of_any_characters(database: Database) -> None:
    first = requested("a\0\ud800%s", by="%(me)s")
    submit_all(database, first)
    assert submit_all(database, requested("a\0\ud800%s", by="%(me)s")) == [first.id]


def test_submitting_again_after_an_unconfirmed_commit_is_safe(database: Database) -> None:
    new = [new_task(), requested("r")]
    ids = [task.id for task in new]
    assert submit_all(database, *new) == ids
    assert submit_all(database, *new) == ids
    assert count(database, "tasks") == count(database, "outbox") == 2


def submit_at_once(database: Database, batches: Sequence[Sequence[NewTask]]) -> list[list[object]]:
    together = threading.Barrier(len(batches))

    def run(batch: Sequence[NewTask]) -> list[object]:
        together.wait(timeout=30)
        return [*submit_all(database, *batch)]

    with ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(run, batches))


def test_one_request_in_many_transactions_at_once_is_one_task(database: Database) -> None:
    for number in range(20):
        answers = submit_at_once(database, [[requested(f"r{number}")] for _ in range(5)])
        assert len({str(answer) for [answer] in answers}) == 1
    assert count(database, "tasks") == count(database, "outbox") == 20


def test_batches_with_the_same_requests_in_other_orders_do_not_block_each_other(
    database: Database,
) -> None:
    for round_ in range(20):
        forth = [requested(f"{round_}.{number}") for number in range(50)]
        back = [requested(f"{round_}.{number}") for number in reversed(range(50))]
        there, here = submit_at_once(database, [forth, back])
        assert there == here[::-1]
    assert count(database, "tasks") == 20 * 50


class RolledBackError(Exception):
    pass


def test_a_request_waits_for_the_transaction_that_was_first(postgres: Database) -> None:
    first, again = requested("r"), requested("r")

    def second_waits() -> bool:
        with postgres.read() as tx:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            return bool(tx.exec_driver_sql(waiting).scalar_one())

    def submit_first_and_roll_back() -> None:
        with postgres.write() as tx:
            submission.submit(tx, [first])
            answers.append(pool.submit(submit_all, postgres, again))
            wait_until(second_waits, 30, "the second submit waits")
            raise RolledBackError

    answers: list[Future[list[str | SubmissionRefused]]] = []
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(RolledBackError):
            submit_first_and_roll_back()
        assert answers[0].result(timeout=30) == [again.id]


def test_adopting_says_whether_there_was_no_record(database: Database) -> None:
    values = {
        "id": "chosen by a program",
        "task_type": "demo.add",
        "state": State.QUEUED,
        "queue": "celery",
        "arguments": "{}",
    }
    with database.write() as tx:
        assert submission.adopt(tx, values)
        assert not submission.adopt(tx, {**values, "queue": "other"})
    with database.write() as tx:
        assert not submission.adopt(tx, values)
    task = read(database, "chosen by a program")
    assert (task.queue, task.root_id, task.version) == ("celery", task.id, 1)
    assert count(database, "outbox") == 0


def test_five_adoptions_at_once_make_one_record(database: Database) -> None:
    for _ in range(20):
        task_id = new_task_id()
        together = threading.Barrier(5)

        def adopt(_number: int, task_id: str = task_id, at: threading.Barrier = together) -> bool:
            at.wait(timeout=30)
            values = {"id": task_id, "task_type": "t", "state": State.QUEUED, "queue": "q"}
            with database.write() as tx:
                return submission.adopt(tx, {**values, "arguments": "{}"})

        with ThreadPoolExecutor(5) as pool:
            assert sum(pool.map(adopt, range(5))) == 1


def test_a_name_that_is_too_long_is_refused_as_such(postgres: Database) -> None:
    with pytest.raises(ValueRefused, match="too long"):
        submit_all(postgres, new_task(queue="q" * 256))


def test_a_number_without_a_place_in_the_table_is_refused_as_such(database: Database) -> None:
    with pytest.raises(ValueRefused, match="cannot hold"):
        submit_all(database, new_task(priority=2**63))
