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
    recorded_statements,
    submit,
    submitted_in,
    take,
)
from taskgate.store import outbox, sweeping, transitions, workers
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import ACTIVE, FINAL, WAITING, Outcome, Reason, State
from taskgate.store.outbox import Subqueue
from taskgate.store.tables import metadata, watermarks
from taskgate.store.tables import outbox as outbox_table

LONG = timedelta(minutes=1)


def published(database: Database, *, ago: timedelta, tries: int = 1, **values: object) -> str:
    """A task that was published that long ago and has not been claimed since."""
    with database.write() as tx:
        task_id = submit(tx, **values)
        is_it = outbox_table.c.task_id == task_id
        values = {"published_at": clock.in_(-ago), "tries": tries}
        tx.execute(update(outbox_table).where(is_it).values(values))
    return task_id


def republish(database: Database, *empty: str) -> list[str]:
    with database.write() as tx:
        return [
            task_id
            for subqueue in outbox.overdue_subqueues(tx)
            for task_id in outbox.republish_lost(
                tx, subqueue, queue_is_empty=subqueue.queue in empty, limit=100
            )
        ]


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
        assert sweeping.end_lost_leases(tx, spared="dead") == []
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
    assert republish(database, "empty") == [lost]
    assert republish(database, "empty") == []
    with database.write() as tx:
        [task] = outbox.take_due(tx, 100)
    assert (task.id, task.attempt) == (lost, 1)


def test_a_task_that_waits_in_the_outbox_is_not_lost(database: Database) -> None:
    task_id = published(database, ago=LONG)
    with database.write() as tx:
        outbox.put(tx, task_id, 1, HOUR)
    assert republish(database, "celery") == []


@pytest.mark.parametrize(
    ("tries", "waited", "again"),
    [
        (1, 0.5, False),
        (1, 1.5, True),
        (2, 1.5, False),
        (2, 2.5, True),
        (3, 2.5, False),
        (3, 4.5, True),
        (9, 255, False),
        (9, 257, True),
        (50, 255, False),
        (50, 257, True),
    ],
)
def test_the_time_to_claim_a_task_doubles_with_each_try(
    database: Database, tries: int, waited: float, again: bool
) -> None:
    task_id = published(database, ago=outbox.CLAIM_TIMEOUT * waited, tries=tries)
    assert republish(database, "celery") == ([task_id] if again else [])


def test_tasks_that_younger_and_no_more_urgent_ones_overtook_are_published_again(
    database: Database,
) -> None:
    lost = published(database, ago=LONG)
    urgent = published(database, ago=LONG, priority=9)
    published(database, ago=LONG, priority=1)
    published(database, ago=LONG, queue="other")
    claimed = published(database, ago=LONG / 2)
    assert republish(database) == []
    with database.write() as tx:
        claim = transitions.claim(tx, claimed, 1, WORKER)
        assert claim
        assert claim.published_at
        outbox.advance_watermarks(tx, {claim.subqueue: claim.published_at})
    assert set(republish(database)) == {lost, urgent}


def test_a_claim_of_what_was_published_twice_says_nothing_of_others(database: Database) -> None:
    """A worker that held its first message back may have claimed it: others are in their turn."""
    published(database, ago=LONG)
    claimed = published(database, ago=NOW, tries=2)
    with database.write() as tx:
        claim = transitions.claim(tx, claimed, 1, WORKER)
    assert claim is not None
    assert claim.published_at is None


def test_a_watermark_never_goes_back(database: Database) -> None:
    subqueue = Subqueue("celery", 4)
    lost = published(database, ago=LONG)
    with database.write() as tx:
        now = clock.read(tx)
        outbox.advance_watermarks(tx, {subqueue: now, Subqueue("other", 0): now})
        outbox.advance_watermarks(tx, {subqueue: now - LONG * 2})
    assert republish(database) == [lost]


def test_watermarks_of_queues_that_nobody_uses_are_deleted(database: Database) -> None:
    with database.write() as tx:
        now = clock.read(tx)
        old, recent = now - timedelta(days=2), now - timedelta(minutes=1)
        submit(tx, queue="waits")
        queues = {"waits": old, "unused": old, "used": recent}
        outbox.advance_watermarks(tx, {Subqueue(name, 4): at for name, at in queues.items()})

        assert outbox.forget_watermarks(tx, timedelta(days=1)) == 1
        left = set(tx.execute(select(watermarks.c.queue)).scalars())
    assert left == {"waits", "used"}


def test_what_is_hardly_older_than_the_watermark_is_not_lost(database: Database) -> None:
    published(database, ago=LONG)
    with database.write() as tx:
        until = clock.read(tx) - LONG + outbox.WATERMARK_MARGIN / 2
        outbox.advance_watermarks(tx, {Subqueue("celery", 4): until})
    assert republish(database) == []


def test_a_backlog_is_neither_rewritten_nor_multiplied(database: Database) -> None:
    for _ in range(50):
        published(database, ago=LONG)
    claimed = published(database, ago=LONG * 2)
    with database.write() as tx:
        claim = transitions.claim(tx, claimed, 1, WORKER)
        assert claim
        assert claim.published_at
        outbox.advance_watermarks(tx, {claim.subqueue: claim.published_at})
    with recorded_statements(database) as statements:
        assert republish(database) == []
    assert len(statements) < 10


def test_a_task_that_is_being_claimed_is_not_published_again(postgres: Database) -> None:
    task_id = published(postgres, ago=LONG)
    with postgres.write() as claiming:
        assert transitions.claim(claiming, task_id, 1, WORKER)
        assert republish(postgres, "celery") == []


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
        assert sweeping.forget(tx, task_id) is (state in FINAL)
        assert not sweeping.forget(tx, "never submitted")
    assert (rows_left(database) == 0) is (state in FINAL)
