"""What nobody is looking after is found, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from support.records import (
    HOUR,
    NOW,
    PAST,
    WORKER,
    make_due,
    make_overdue,
    read,
    submit,
    submitted_in,
    take,
)
from taskgate.store import clock, forgetting, outbox, sweeping, transitions, workers
from taskgate.store.engine import Database
from taskgate.store.lifecycle import ACTIVE, FINAL, WAITING, Outcome, Reason, State
from taskgate.store.sweeping import Lane
from taskgate.store.tables import metadata, tasks

LONG = timedelta(minutes=1)


def published(database: Database, *, ago: timedelta, **values: object) -> str:
    """A task that was published that long ago and has not been claimed since."""
    with database.write() as tx:
        task_id = submit(tx, **values)
        outbox.remove(tx, task_id)
        queued_at = clock.in_(-ago)
        tx.execute(update(tasks).where(tasks.c.id == task_id).values(queued_at=queued_at))
    return task_id


def dispatch_again(database: Database, *empty: str, overtaken: bool = False) -> list[str]:
    with database.write() as tx:
        lanes = sweeping.overtaken(tx) if overtaken else {}
        return sweeping.dispatch_again(tx, empty, lanes, 100)


def test_attempts_of_workers_whose_lease_has_ended_are_orphans(database: Database) -> None:
    with database.write() as tx:
        for worker, lease in (("living", HOUR), ("late", PAST), ("dead", PAST), ("stopped", HOUR)):
            workers.start(tx, worker, {}, lease)
        owned = {}
        for worker in ("living", "late", "dead", "stopped", "never leased"):
            owned[worker] = submit(tx)
            assert transitions.claim(tx, owned[worker], 1, worker)
        workers.stop(tx, "stopped")
        assert workers.renew(tx, "late", HOUR)
        assert sweeping.end_lost_leases(tx) == ["dead"]
        assert sweeping.end_lost_leases(tx) == []
        found = sweeping.orphans(tx, 100)
    assert {orphan.worker for orphan in found} == {"dead", "stopped"}
    assert {orphan.task_id for orphan in found} == {owned["dead"], owned["stopped"]}


@pytest.mark.parametrize("state", sorted(WAITING | FINAL))
def test_only_running_tasks_are_orphans(database: Database, state: State) -> None:
    with database.write() as tx:
        workers.start(tx, WORKER, {}, HOUR)
        submitted_in(tx, state)
        workers.stop(tx, WORKER)
        assert sweeping.orphans(tx, 100) == []


def test_an_orphan_is_put_back_and_at_last_failed(database: Database) -> None:
    with database.write() as tx:
        for worker in ("first", "second"):
            workers.start(tx, worker, {}, HOUR)
        task_id = submit(tx)
        assert transitions.claim(tx, task_id, 1, "first")
        workers.stop(tx, "first")
        [orphan] = sweeping.orphans(tx, 100)
        assert sweeping.put_back(tx, orphan, max_losses=1)
        assert not sweeping.put_back(tx, orphan, max_losses=1)
        assert take(tx, task_id)
        assert transitions.claim(tx, task_id, 2, "second")
        workers.stop(tx, "second")
        [orphan] = sweeping.orphans(tx, 100)
        assert sweeping.put_back(tx, orphan, max_losses=1)
    task = read(database, task_id)
    assert (task.state, task.failure and task.failure.reason) == (State.FAILED, Reason.WORKER_LOST)
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.LOST, Outcome.LOST]


def test_overdue_tasks_expire_unless_they_have_started(database: Database) -> None:
    with database.write() as tx:
        overdue = {state: submitted_in(tx, state) for state in WAITING | ACTIVE}
        for task_id in overdue.values():
            make_overdue(tx, task_id)
        submit(tx, ttl=HOUR)
        expired = sweeping.expire_overdue(tx, 100)
    assert set(expired) == {overdue[state] for state in WAITING}
    for state, task_id in overdue.items():
        assert read(database, task_id).state is (State.EXPIRED if state in WAITING else state)


def test_two_that_expire_tasks_at_once_do_not_wait_for_each_other(postgres: Database) -> None:
    with postgres.write() as tx:
        task_ids = {submit(tx, ttl=NOW) for _ in range(4)}
    with postgres.write() as one, postgres.write() as other:
        mine, yours = sweeping.expire_overdue(one, 2), sweeping.expire_overdue(other, 4)
    assert sorted(mine + yours) == sorted(task_ids)


def test_tasks_of_an_empty_queue_that_waited_long_are_published_again(database: Database) -> None:
    lost = published(database, ago=LONG, queue="empty")
    published(database, ago=NOW, queue="empty")
    published(database, ago=LONG, queue="full")
    assert dispatch_again(database, "empty") == [lost]
    assert dispatch_again(database, "empty") == []
    with database.write() as tx:
        [publication] = outbox.take_due(tx, 100)
    assert (publication.task.id, publication.task.attempt) == (lost, 1)


def test_a_task_that_is_still_in_the_outbox_is_not_lost(database: Database) -> None:
    task_id = published(database, ago=LONG)
    with database.write() as tx:
        outbox.put(tx, task_id, 1, HOUR)
    assert dispatch_again(database, "celery") == []


def test_the_patience_with_a_task_doubles(database: Database) -> None:
    task_id = published(database, ago=sweeping.FIRST_PATIENCE * 1.5)
    assert dispatch_again(database, "celery") == [task_id]
    for waited, again in ((1.5, False), (2.5, True), (2.5, False), (4.5, True)):
        with database.write() as tx:
            outbox.remove(tx, task_id)
            queued_at = clock.in_(-sweeping.FIRST_PATIENCE * waited)
            tx.execute(update(tasks).values(queued_at=queued_at))
            impatient = sweeping.impatient_queues(tx)
        assert impatient == (["celery"] if again else [])
        assert dispatch_again(database, "celery") == ([task_id] if again else [])


def test_tasks_that_younger_and_no_more_urgent_ones_overtook_are_published_again(
    database: Database,
) -> None:
    lost = published(database, ago=LONG)
    urgent = published(database, ago=LONG, priority=9)
    published(database, ago=LONG, priority=1)
    published(database, ago=LONG, queue="other")
    started = published(database, ago=LONG / 2)
    with database.write() as tx:
        assert sweeping.overtaken(tx) == {}
        assert transitions.claim(tx, started, 1, WORKER)
        assert set(sweeping.overtaken(tx)) == {Lane("celery", 4)}
    assert set(dispatch_again(database, overtaken=True)) == {lost, urgent}


def test_a_task_that_is_being_claimed_is_not_published_again(postgres: Database) -> None:
    task_id = published(postgres, ago=LONG)
    with postgres.write() as claiming:
        assert transitions.claim(claiming, task_id, 1, WORKER)
        assert dispatch_again(postgres, "celery") == []


def rows_left(database: Database) -> int:
    with database.read() as tx:
        return sum(
            tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        )


def test_what_ended_long_ago_is_deleted_with_all_that_belongs_to_it(database: Database) -> None:
    with database.write() as tx:
        for state in FINAL:
            submitted_in(tx, state, labels={"team": "a"})
        retried = submitted_in(tx, State.RETRYING, labels={"team": "a"})
        make_due(tx, retried)
        assert take(tx, retried)
        assert transitions.claim(tx, retried, 2, WORKER)
        assert transitions.succeed(tx, retried, 2, "3")
        assert sweeping.delete_final(tx, HOUR, 100) == 0
        assert sweeping.delete_final(tx, PAST, 3) == 3
        assert sweeping.delete_final(tx, PAST, 100) == 2
    assert rows_left(database) == 0


@pytest.mark.parametrize("state", State)
def test_only_a_final_task_can_be_forgotten(database: Database, state: State) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, state, labels={"team": "a"})
        assert forgetting.forget(tx, task_id) is (state in FINAL)
        assert not forgetting.forget(tx, "never submitted")
    assert (rows_left(database) == 0) is (state in FINAL)
