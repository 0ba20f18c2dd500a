"""What the record says of a task's attempts, worker losses and retries."""

from __future__ import annotations

from support.records import FAILURE, HOUR, NOW, WORKER, read, submit, submitted_in, take
from taskgate.store import queries, transitions
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import Outcome, Reason, State
from taskgate.store.outbox import Subqueue
from taskgate.store.record import Failure, RetryPolicy

LOST = Failure(reason=Reason.WORKER_LOST, message="worker died")


def test_a_claim_brings_what_the_worker_needs(database: Database) -> None:
    policy = RetryPolicy(max_attempts=5, initial_backoff=1.5, non_retryable_errors=("KeyError",))
    with database.write() as tx:
        task_id = submit(tx, retry_policy=policy, max_attempts=5)
        claim = transitions.claim(tx, task_id, 1, WORKER)
    task = read(database, task_id)
    assert task.started_at is not None
    assert claim == transitions.Claim(
        task_id, 1, task.started_at, 0, 5, policy, Subqueue("celery", 4), None
    )
    [attempt] = task.attempts
    assert (attempt.number, attempt.worker, attempt.outcome) == (1, WORKER, None)
    assert attempt.started_at == task.started_at
    assert attempt.ended_at is None


def test_a_retried_task_keeps_the_history_of_its_attempts(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        for number in (1, 2, 3):
            assert transitions.claim(tx, task_id, number, f"worker {number}")
            transitions.back_off(tx, task_id, number, FAILURE, delay=NOW, retries=number)
            assert take(tx, task_id)
        assert transitions.claim(tx, task_id, 4, "worker 4")
        assert transitions.succeed(tx, task_id, 4, "3")
    task = read(database, task_id)
    assert [attempt.number for attempt in task.attempts] == [1, 2, 3, 4]
    assert [attempt.worker for attempt in task.attempts] == [f"worker {n}" for n in (1, 2, 3, 4)]
    assert [a.outcome for a in task.attempts] == [Outcome.FAILED] * 3 + [Outcome.SUCCEEDED]
    assert [a.failure for a in task.attempts] == [FAILURE] * 3 + [None]
    for attempt in task.attempts:
        assert attempt.started_at
        assert attempt.ended_at
        assert attempt.started_at <= attempt.ended_at
    assert (task.retries, task.failure, task.result) == (3, None, "3")


def test_a_retry_wait_tells_why_and_until_when(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        assert transitions.report(tx, task_id, 1, '{"state": "PROGRESS", "meta": 1}')
        assert transitions.back_off(tx, task_id, 1, FAILURE, delay=HOUR, retries=7)
    task = read(database, task_id)
    assert (task.state, task.attempt, task.retries) == (State.RETRYING, 2, 7)
    assert (task.failure, task.progress, task.started_at) == (FAILURE, None, None)
    [ended] = task.attempts
    assert ended.ended_at
    assert task.due_at
    assert abs(task.due_at - ended.ended_at - HOUR).total_seconds() < 5


def test_a_returned_attempt_is_due_at_once_and_costs_no_retry(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        assert transitions.give_back(tx, task_id, 1)
        assert take(tx, task_id)
    task = read(database, task_id)
    assert (task.state, task.attempt, task.retries, task.worker_losses) == (State.QUEUED, 2, 0, 0)
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.RETURNED]


def test_a_task_is_lost_with_its_worker_only_so_often(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
        for number in (1, 2, 3):
            assert transitions.claim(tx, task_id, number, WORKER)
            assert transitions.lose(tx, task_id, number, LOST, max_losses=2)
    task = read(database, task_id)
    assert (task.state, task.attempt, task.worker_losses, task.retries) == (State.FAILED, 3, 2, 0)
    assert task.failure == LOST
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.LOST] * 3
    assert [attempt.failure for attempt in task.attempts] == [LOST] * 3


def test_a_task_that_may_lose_no_worker_fails_at_once(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        assert transitions.lose(tx, task_id, 1, LOST, max_losses=0)
    assert read(database, task_id).state is State.FAILED


def test_a_worker_given_up_for_dead_cannot_speak_for_the_next_attempt(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        assert transitions.lose(tx, task_id, 1, LOST, max_losses=3)
        assert transitions.claim(tx, task_id, 2, "another worker")
    before = read(database, task_id)
    with database.write() as tx:
        assert not transitions.succeed(tx, task_id, 1, "3")
        assert not transitions.fail(tx, task_id, 1, FAILURE)
        assert not transitions.back_off(tx, task_id, 1, FAILURE, delay=NOW, retries=1)
        assert not transitions.give_back(tx, task_id, 1)
        assert not transitions.lose(tx, task_id, 1, LOST, max_losses=3)
        assert not transitions.report(tx, task_id, 1, "{}")
        assert transitions.claim(tx, task_id, 1, WORKER) is None
    assert read(database, task_id) == before


def test_a_refused_attempt_failed_without_a_worker(database: Database) -> None:
    failure = Failure(reason=Reason.TASK_TYPE_NOT_REGISTERED, message="no such type")
    with database.write() as tx:
        task_id = submit(tx)
        assert transitions.refuse(tx, task_id, 1, failure)
        assert not transitions.refuse(tx, task_id, 1, failure)
    task = read(database, task_id)
    assert (task.state, task.failure, task.worker) == (State.FAILED, failure, None)
    assert [attempt.outcome for attempt in task.attempts] == [Outcome.FAILED]


def test_an_expired_task_cannot_be_claimed_and_is_expired_by_the_try(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx, ttl=NOW)
        assert transitions.claim(tx, task_id, 1, WORKER) is None
    task = read(database, task_id)
    assert (task.state, task.attempts) == (State.EXPIRED, ())


def test_a_claimed_task_does_not_expire(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx, ttl=HOUR)
        assert transitions.claim(tx, task_id, 1, WORKER)
        assert not transitions.expire(tx, task_id)


def test_a_report_is_the_last_one_told(database: Database) -> None:
    with database.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        assert transitions.report(tx, task_id, 1, '{"state": "PROGRESS", "meta": 1}')
        assert transitions.report(tx, task_id, 1, '{"state": "PROGRESS", "meta": 2}')
    task = read(database, task_id)
    assert task.progress == '{"state": "PROGRESS", "meta": 2}'
    assert task.version == 4


def test_failures_of_any_characters_come_back(database: Database) -> None:
    failure = Failure(
        reason=Reason.EXCEPTION, message="\0 \ud800 %s 😀", traceback="\0", args='["\\u0000"]'
    )
    with database.write() as tx:
        failed = submitted_in(tx, State.RUNNING)
        assert transitions.fail(tx, failed, 1, failure)
        retried = submitted_in(tx, State.RUNNING)
        assert transitions.back_off(tx, retried, 1, failure, delay=HOUR, retries=1)
    assert read(database, failed).failure == failure
    assert read(database, retried).attempts[0].failure == failure


def test_an_attempt_that_ends_while_it_is_read_is_not_told_twice(postgres: Database) -> None:
    with postgres.write() as tx:
        task_id = submitted_in(tx, State.RUNNING)
        assert transitions.give_back(tx, task_id, 1)
        assert transitions.claim(tx, task_id, 2, WORKER)
    before = read(postgres, task_id)
    with postgres.write() as tx:
        assert transitions.give_back(tx, task_id, 2)
    with postgres.read() as tx:
        past = queries._past_attempts(tx, {task_id: before.attempt})
    assert [attempt.number for attempt in past[task_id]] == [1]
