"""The guarded statements that make the transitions of ``lifecycle.py``.

Each changes a record only if it is still in one of the transition's source states (and, where the
transition is fenced, at the attempt named), and says whether it did. Who loses a race changes
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    exists,
    insert,
    literal,
    or_,
    select,
)

from taskgate.store import clock, lifecycle, outbox, queries
from taskgate.store.errors import TaskAlreadyFinal
from taskgate.store.guarded import apply, conditions
from taskgate.store.lifecycle import Outcome, State, Transition
from taskgate.store.record import Failure, RetryPolicy, Task
from taskgate.store.tables import attempts, tasks, workers
from taskgate.store.workers import HAS_LEASE


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one attempt."""

    task_id: str
    attempt: int
    started_at: datetime
    """By the database's clock: tells this claim from any other."""
    retries: int
    max_attempts: int | None
    retry_policy: RetryPolicy | None


def claim(tx: Connection, task_id: str, attempt: int, worker: str) -> Claim | None:
    """QUEUED to RUNNING, for one worker; None for everyone else.

    None also for a task that has expired, and for a worker whose lease was ended: it was given up
    for dead, and what it claims now nobody would look after.
    """
    row = apply(
        tx,
        lifecycle.CLAIM,
        task_id,
        attempt,
        and_(
            or_(tasks.c.expires_at.is_(None), tasks.c.expires_at > clock.now()),
            ~_lease_ended(worker),
        ),
        worker=worker,
        started_at=clock.now(),
    )
    if row is None:
        expire(tx, task_id)
        return None
    return Claim(task_id=task_id, attempt=attempt, **row)


def succeed(tx: Connection, task_id: str, attempt: int, result: str) -> bool:
    """The attempt returned ``result`` (JSON text), abort asked for or not."""
    return _finish(tx, lifecycle.SUCCEED, task_id, attempt, result=result, failure=None)


def fail(tx: Connection, task_id: str, attempt: int, failure: Failure) -> bool:
    """The attempt failed, and there is no other to come."""
    return _finish(tx, lifecycle.FAIL, task_id, attempt, failure=failure)


def stop(tx: Connection, task_id: str, attempt: int) -> bool:
    """The attempt ended because of the abort that was asked for."""
    return _finish(tx, lifecycle.STOP, task_id, attempt)


def refuse(tx: Connection, task_id: str, attempt: int, failure: Failure) -> bool:
    """Fail an attempt that no worker can start: it is claimed and failed at once."""
    won = apply(tx, lifecycle.CLAIM, task_id, attempt, started_at=clock.now())
    return won is not None and fail(tx, task_id, attempt, failure)


def back_off(
    tx: Connection,
    task_id: str,
    attempt: int,
    failure: Failure,
    *,
    delay: timedelta,
    retries: int,
    arguments: str | None = None,
) -> bool:
    """The attempt failed and the next one is due after ``delay``, unless an abort was asked for.

    ``retries``: what Celery's count of retries will be in the next attempt. ``arguments``: other
    ones for it, JSON text as in the record.
    """
    changes: dict[str, Any] = {} if arguments is None else {"arguments": arguments}
    if _next_attempt(
        tx,
        lifecycle.BACK_OFF,
        task_id,
        attempt,
        Outcome.FAILED,
        failure,
        delay,
        retries=retries,
        failure=failure,
        due_at=clock.in_(delay),
        **changes,
    ):
        return True
    return stop(tx, task_id, attempt)


def give_back(tx: Connection, task_id: str, attempt: int) -> bool:
    """The worker is shutting down and cannot finish the attempt: the next is due at once."""
    if _next_attempt(
        tx, lifecycle.GIVE_BACK, task_id, attempt, Outcome.RETURNED, None, queued_at=clock.now()
    ):
        return True
    return stop(tx, task_id, attempt)


def lose(tx: Connection, task_id: str, attempt: int, failure: Failure, *, max_losses: int) -> bool:
    """The worker died: the next attempt is due at once, or, after ``max_losses``, the task failed.

    A task that was being aborted is ABORTED.
    """
    if _next_attempt(
        tx,
        lifecycle.GIVE_BACK,
        task_id,
        attempt,
        Outcome.LOST,
        failure,
        guard=tasks.c.worker_losses < max_losses,
        worker_losses=tasks.c.worker_losses + 1,
        queued_at=clock.now(),
    ):
        return True
    return stop(tx, task_id, attempt) or fail(tx, task_id, attempt, failure)


def report(tx: Connection, task_id: str, attempt: int, progress: str) -> bool:
    """Record what a running attempt reported, JSON text as in ``Task.progress``."""
    return any(
        apply(tx, transition, task_id, attempt, progress=progress) is not None
        for transition in lifecycle.REPORT.values()
    )


def request_abort(
    tx: Connection, task_id: str, *, by: str, reason: str, force_after: timedelta | None = None
) -> Task:
    """Abort a waiting task at once, or ask a running one to stop.

    Asking again leaves the first request standing, but can add or hasten the force.

    Returns the task afterwards.

    Raises:
        TaskNotFound: there is no such record.
        TaskAlreadyFinal: the task has ended otherwise; nothing was changed.
    """
    task = queries.get(tx, task_id)
    # A task can move between WAITING and RUNNING while we look, so ask until one of them held.
    while not (task.is_final or task.state is State.ABORTING):
        _cancel_or_request(tx, task_id, by, reason)
        task = queries.get(tx, task_id)
    if task.is_final and task.state is not State.ABORTED:
        raise TaskAlreadyFinal(task_id, task.state)
    if task.state is State.ABORTING and force_after is not None:
        _force(tx, task_id, force_after)
        task = queries.get(tx, task_id)
    return task


def _cancel_or_request(tx: Connection, task_id: str, by: str, reason: str) -> None:
    request = {"abort_requested_at": clock.now(), "abort_by": by, "abort_reason": reason}
    if apply(tx, lifecycle.CANCEL, task_id, None, finished_at=clock.now(), **request) is not None:
        outbox.remove(tx, task_id)
        return
    apply(tx, lifecycle.REQUEST_ABORT, task_id, None, **request)


def _force(tx: Connection, task_id: str, after: timedelta) -> None:
    is_sooner = or_(tasks.c.abort_force_at.is_(None), tasks.c.abort_force_at > clock.in_(after))
    force_at = clock.in_(after)
    apply(tx, lifecycle.FORCE_ABORT, task_id, None, is_sooner, abort_force_at=force_at)


def expire(tx: Connection, task_id: str) -> bool:
    """A waiting task whose time is over never runs."""
    won = apply(
        tx,
        lifecycle.EXPIRE,
        task_id,
        None,
        tasks.c.expires_at <= clock.now(),
        finished_at=clock.now(),
    )
    if won is not None:
        outbox.remove(tx, task_id)
    return won is not None


def _finish(
    tx: Connection, transition: Transition, task_id: str, attempt: int, **values: Any
) -> bool:
    return apply(tx, transition, task_id, attempt, finished_at=clock.now(), **values) is not None


def _next_attempt(
    tx: Connection,
    transition: Transition,
    task_id: str,
    attempt: int,
    outcome: Outcome,
    failure_of_attempt: Failure | None,
    delay: timedelta = timedelta(0),
    *,
    guard: ColumnElement[bool] | None = None,
    **values: Any,
) -> bool:
    """End the attempt without ending the task: history, the next attempt, its outbox row."""
    # The insert locks the row that it reads, so the update after it cannot lose the race.
    history = select(
        tasks.c.id,
        tasks.c.attempt,
        tasks.c.worker,
        tasks.c.started_at,
        clock.now(),
        literal(outcome, attempts.c.outcome.type),
        literal(failure_of_attempt, attempts.c.failure.type),
    ).where(*conditions(transition, task_id, attempt, guard))
    ended = tx.execute(
        insert(attempts)
        .from_select(list(attempts.c.keys()), history.with_for_update())
        .returning(attempts.c.number)
    )
    if ended.scalar_one_or_none() is None:
        return False
    apply(
        tx,
        transition,
        task_id,
        attempt,
        guard,
        attempt=attempt + 1,
        started_at=None,
        progress=None,
        **values,
    )
    outbox.put(tx, task_id, attempt + 1, delay)
    return True


def _lease_ended(worker: str) -> ColumnElement[bool]:
    return exists().where(workers.c.id == worker, ~HAS_LEASE)
