"""The guarded statements that make the transitions of ``lifecycle.py``.

Each changes a record only if it is still in one of the transition's source states (and, where the
transition is fenced, at the attempt named), and says whether it did. Who loses a race changes
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    RowMapping,
    Select,
    Subquery,
    Text,
    Update,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from taskgate.store import lifecycle, outbox, queries
from taskgate.store.database import clock
from taskgate.store.database.columns import storable
from taskgate.store.errors import TaskAlreadyFinal
from taskgate.store.lifecycle import Outcome, State, Transition
from taskgate.store.outbox import Subqueue
from taskgate.store.pauses import IS_PAUSED
from taskgate.store.record import Failure, RetryPolicy, Task
from taskgate.store.tables import attempts, tasks, workers
from taskgate.store.tables import outbox as outbox_table
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
    subqueue: Subqueue
    published_at: datetime | None
    """When its message was published; None if that is not certain: it was published again, and this
    may be the first message, or another program published it."""


@dataclass(frozen=True, slots=True)
class Success:
    """The end of an attempt that returned."""

    task_id: str
    attempt: int
    result: str
    """JSON text."""
    ran_seconds: float | None = None
    """How long ago its code began to run, if later than the claim."""


def claim(
    tx: Connection, task_id: str, attempt: int, worker: str, *, runs_already: bool = False
) -> Claim | None:
    """QUEUED to RUNNING, for one worker; None for everyone else: see ``claim_many``."""
    wanted = [(task_id, attempt)]
    return claim_many(tx, wanted, worker, run_already=runs_already).get(storable(task_id))


# The formal model's step Claim.
def claim_many(
    tx: Connection, wanted: Sequence[tuple[str, int]], worker: str, *, run_already: bool = False
) -> dict[str, Claim]:
    """Claim attempts, given as ids and attempt numbers; the claims won, by the ids on record.

    A claim deletes the attempt's outbox row. Lost are those that another worker has won, that were
    aborted, have expired or are paused, and all of them for a worker whose lease was ended: it was
    given up for dead, and nobody would look after what it claims now.

    ``run_already``: they run where nobody asked before they began, so no pause can hold them.
    """
    if not wanted:
        return {}
    # In one order everywhere: two workers with the same messages would block each other.
    given = sorted((storable(task_id), attempt) for task_id, attempt in wanted)
    rows = _as_parameters(tx, given)
    statement = (_CLAIM_RUNNING if run_already else _CLAIM_MANY)[tx.dialect.name]
    won = tx.execute(statement, {**rows, "worker": worker}).mappings().all()
    published = (
        {row["id"]: row["published_at"] for row in won}
        if tx.dialect.name == "postgresql"
        else _delete_outbox_rows(tx, [row["id"] for row in won])
    )
    claims = {row["id"]: _claim(row, published.get(row["id"])) for row in won}
    expire_many(tx, [task_id for task_id, _ in given if task_id not in claims])
    return claims


def _claim(row: RowMapping, published_at: datetime | None) -> Claim:
    return Claim(
        task_id=row["id"],
        attempt=row["attempt"],
        started_at=row["started_at"],
        retries=row["retries"],
        max_attempts=row["max_attempts"],
        retry_policy=row["retry_policy"],
        subqueue=Subqueue(row["queue"], row["priority"]),
        published_at=published_at,
    )


_PUBLISHED_AT = case((outbox_table.c.tries == 1, outbox_table.c.published_at)).label("published_at")


def _delete_outbox_rows(tx: Connection, task_ids: Sequence[str]) -> dict[str, datetime | None]:
    gone = delete(outbox_table).where(outbox_table.c.task_id.in_(task_ids))
    rows = tx.execute(gone.returning(outbox_table.c.task_id, _PUBLISHED_AT))
    return {row.task_id: row.published_at for row in rows}


# The formal model's step RecordEnd.
def succeed_many(tx: Connection, ends: Sequence[Success]) -> set[str]:
    """Record the ends of attempts that returned; the ids of the tasks that were theirs to end."""
    if not ends:
        return set()
    rows = _as_parameters(
        tx,
        sorted(
            (storable(end.task_id), end.attempt, storable(end.result), end.ran_seconds)
            for end in ends
        ),
    )
    return set(tx.execute(_SUCCEED_MANY[tx.dialect.name], rows).scalars())


def succeed(
    tx: Connection, task_id: str, attempt: int, result: str, ran_seconds: float | None = None
) -> bool:
    """The attempt returned ``result`` (JSON text), abort asked for or not: see ``Success``."""
    return bool(succeed_many(tx, [Success(task_id, attempt, result, ran_seconds)]))


def fail(tx: Connection, task_id: str, attempt: int, failure: Failure) -> bool:
    """The attempt failed, and there is no other to come."""
    return _finish(tx, lifecycle.FAIL, task_id, attempt, failure=failure)


def stop(tx: Connection, task_id: str, attempt: int) -> bool:
    """The attempt ended because of the abort that was asked for."""
    return _finish(tx, lifecycle.STOP, task_id, attempt)


def refuse(tx: Connection, task_id: str, attempt: int, failure: Failure) -> bool:
    """Fail an attempt that no worker can start: it is claimed and failed at once."""
    if not apply(tx, lifecycle.CLAIM, task_id, attempt, started_at=clock.now()):
        return False
    outbox.remove(tx, [task_id])
    return fail(tx, task_id, attempt, failure)


def back_off(
    tx: Connection,
    task_id: str,
    attempt: int,
    failure: Failure,
    *,
    delay: timedelta | None,
    retries: int,
    columns: Mapping[str, Any] | None = None,
) -> bool:
    """The attempt failed and the next one is due after ``delay``, unless an abort was asked for.

    ``delay``: None if somebody else has sent the next one already: see ``resume``. ``retries``:
    what Celery's count of retries will be in it. ``columns``: what else changes in the record for
    it, such as other arguments.
    """
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
        due_at=None if delay is None else clock.in_(delay),
        **(columns or {}),
    ):
        return True
    return stop(tx, task_id, attempt)


def resume(tx: Connection, task_id: str, attempt: int) -> bool:
    """The next attempt, which somebody else has sent, has come and can be claimed."""
    return apply(tx, lifecycle.DUE, task_id, None, tasks.c.attempt == attempt)


def give_back(tx: Connection, task_id: str, attempt: int) -> bool:
    """The worker is shutting down and cannot finish the attempt: the next is due at once."""
    if _next_attempt(tx, lifecycle.GIVE_BACK, task_id, attempt, Outcome.RETURNED, None):
        return True
    return stop(tx, task_id, attempt)


def replace(
    tx: Connection,
    task_id: str,
    attempt: int,
    columns: Mapping[str, Any],
    delay: timedelta | None,
) -> bool:
    """The attempt ended by having the task go on as another, of which ``columns`` tells.

    ``delay``: when its next attempt is due; None if other tasks are to start it.
    """
    later = delay is not None and delay > timedelta(0)
    return _next_attempt(
        tx,
        lifecycle.REPLACE[State.SCHEDULED if later else State.QUEUED],
        task_id,
        attempt,
        Outcome.SUCCEEDED,
        None,
        delay,
        failure=None,
        due_at=clock.in_(delay) if delay else None,
        **columns,
    )


def substitute(tx: Connection, task_id: str, attempt: int, columns: Mapping[str, Any]) -> bool:
    """What a replaced task goes on as has come; its attempt can be claimed."""
    return apply(tx, lifecycle.SUBSTITUTE, task_id, attempt, **columns)


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
    ):
        return True
    return stop(tx, task_id, attempt) or fail(tx, task_id, attempt, failure)


def report(tx: Connection, task_id: str, attempt: int, progress: str) -> bool:
    """Record what a running attempt reported, JSON text as in ``Task.progress``."""
    return any(
        apply(tx, transition, task_id, attempt, progress=progress)
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


# The formal model's step RequestAbort.
def _cancel_or_request(tx: Connection, task_id: str, by: str, reason: str) -> None:
    request = {"abort_requested_at": clock.now(), "abort_by": by, "abort_reason": reason}
    if apply(tx, lifecycle.CANCEL, task_id, None, finished_at=clock.now(), **request):
        outbox.remove(tx, [task_id])
        return
    apply(tx, lifecycle.REQUEST_ABORT, task_id, None, **request)


# The formal model's step RequestAbort.
def abort_many(
    tx: Connection, task_ids: Collection[str], *, by: str, reason: str
) -> dict[str, State]:
    """Ask for the abort of tasks as ``request_abort`` does; in which states they are afterwards.

    What is in a final state other than ABORTED had ended before. Ids without a record are left out.
    """
    # In one order everywhere: two that lock the same tasks would block each other.
    locked = select(tasks.c.id, tasks.c.state).where(tasks.c.id.in_(task_ids)).order_by(tasks.c.id)
    states = {row.id: row.state for row in tx.execute(locked.with_for_update())}
    request = {"abort_requested_at": clock.now(), "abort_by": by, "abort_reason": reason}
    for transition, others in (
        (lifecycle.CANCEL, {"finished_at": clock.now()}),
        (lifecycle.REQUEST_ABORT, {}),
    ):
        ids = [task_id for task_id, state in states.items() if state in transition.sources]
        _apply_to_all(tx, transition, ids, **request, **others)
        if transition is lifecycle.CANCEL and ids:
            outbox.remove(tx, ids)
        states.update(dict.fromkeys(ids, transition.target))
    return states


def _apply_to_all(
    tx: Connection, transition: Transition, task_ids: Collection[str], **values: Any
) -> None:
    """Make a transition of tasks that this transaction has locked in one of its sources."""
    if task_ids:
        tx.execute(
            update(tasks)
            .where(tasks.c.id.in_(task_ids), tasks.c.state.in_(sorted(transition.sources)))
            .values(state=transition.target, version=tasks.c.version + 1, **values)
        )


def _force(tx: Connection, task_id: str, after: timedelta) -> None:
    is_sooner = or_(tasks.c.abort_force_at.is_(None), tasks.c.abort_force_at > clock.in_(after))
    force_at = clock.in_(after)
    apply(tx, lifecycle.FORCE_ABORT, task_id, None, is_sooner, abort_force_at=force_at)


def expire(tx: Connection, task_id: str) -> bool:
    """A waiting task whose time is over never runs."""
    return bool(expire_many(tx, [task_id]))


def expire_many(tx: Connection, task_ids: Collection[str]) -> list[str]:
    """Expire those of the tasks that wait and whose time is over; their ids."""
    if not task_ids:
        return []
    expired = list(tx.execute(_EXPIRE_MANY, {"ids": list(task_ids)}).scalars())
    if expired:
        outbox.remove(tx, expired)
    return expired


def _finish(
    tx: Connection, transition: Transition, task_id: str, attempt: int, **values: Any
) -> bool:
    return apply(tx, transition, task_id, attempt, finished_at=clock.now(), **values)


def _next_attempt(
    tx: Connection,
    transition: Transition,
    task_id: str,
    attempt: int,
    outcome: Outcome,
    failure_of_attempt: Failure | None,
    delay: timedelta | None = timedelta(0),
    *,
    guard: ColumnElement[bool] | None = None,
    **values: Any,
) -> bool:
    """End the attempt without ending the task: history, the next attempt, its outbox row.

    Without a ``delay`` somebody else publishes the next attempt.
    """
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
    if delay is not None:
        outbox.put(tx, task_id, attempt + 1, delay)
    return True


def apply(
    tx: Connection,
    transition: Transition,
    task_id: str,
    attempt: int | None,
    guard: ColumnElement[bool] | None = None,
    /,
    **values: Any,
) -> bool:
    """Make one transition in one statement that changes nothing unless it may; whether it did.

    Raises:
        ValueError: the transition is fenced, and no attempt is named.
    """
    statement = (
        update(tasks)
        .where(*conditions(transition, task_id, attempt, guard))
        .values(state=transition.target, version=tasks.c.version + 1, **values)
    )
    return tx.execute(statement).rowcount == 1


def conditions(
    transition: Transition,
    task_id: str,
    attempt: int | None,
    guard: ColumnElement[bool] | None,
) -> list[ColumnElement[bool]]:
    """What must hold of the record for the transition to be made."""
    required = [tasks.c.id == task_id, tasks.c.state.in_(sorted(transition.sources))]
    if transition.fenced:
        if attempt is None:
            raise ValueError(f"the transition {transition.name!r} must name the attempt")
        required.append(tasks.c.attempt == attempt)
    if guard is not None:
        required.append(guard)
    return required


# The transitions that workers make of many attempts at once, each one statement, built once.

_CLAIM_COLUMNS = ("id", "attempt")
_SUCCESS_COLUMNS = ("id", "attempt", "result", "ran_seconds")
_TYPES: Mapping[str, type[Any]] = {
    "id": Text,
    "attempt": Integer,
    "result": Text,
    "ran_seconds": Float,
}


def _as_parameters(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Rows as the parameters of ``_given``."""
    if tx.dialect.name == "sqlite":
        return {"rows": json.dumps(rows)}
    names = _CLAIM_COLUMNS if len(rows[0]) == len(_CLAIM_COLUMNS) else _SUCCESS_COLUMNS
    columns = zip(*rows, strict=True)
    return {f"{name}s": list(values) for name, values in zip(names, columns, strict=True)}


def _given(dialect: str, names: Sequence[str]) -> Subquery:
    """The rows that are given to a statement as parameters: arrays, or one JSON text."""
    if dialect == "postgresql":
        arrays = [cast(bindparam(f"{name}s"), ARRAY(_TYPES[name])) for name in names]
        rows = func.unnest(*arrays).table_valued(*names).render_derived()
        return select(*(rows.c[name] for name in names)).subquery("given")
    row = func.json_each(bindparam("rows")).table_valued("value")
    values = [
        cast(func.json_extract(row.c.value, f"$[{index}]"), _TYPES[name]()).label(name)
        for index, name in enumerate(names)
    ]
    return select(*values).subquery("given")


def _update_given(given: Subquery, transition: Transition, **values: Any) -> Update:
    return (
        update(tasks)
        .where(
            tasks.c.id == given.c.id,
            tasks.c.attempt == given.c.attempt,
            tasks.c.state.in_(sorted(transition.sources)),
        )
        .values(state=transition.target, version=tasks.c.version + 1, **values)
    )


def _claim_many(dialect: str, *guards: ColumnElement[bool]) -> Update | Select[Any]:
    worker = bindparam("worker", type_=tasks.c.worker.type)
    lease_ended = exists().where(workers.c.id == worker, ~HAS_LEASE)
    not_expired = or_(tasks.c.expires_at.is_(None), tasks.c.expires_at > clock.now())
    claimed = (
        _update_given(
            _given(dialect, _CLAIM_COLUMNS),
            lifecycle.CLAIM,
            worker=worker,
            started_at=clock.now(),
        )
        .where(not_expired, ~lease_ended, *guards)
        .returning(
            tasks.c.id,
            tasks.c.attempt,
            tasks.c.started_at,
            tasks.c.retries,
            tasks.c.max_attempts,
            tasks.c.retry_policy,
            tasks.c.queue,
            tasks.c.priority,
        )
    )
    if dialect == "sqlite":
        return claimed
    won = claimed.cte("won")
    gone = (
        delete(outbox_table)
        .where(outbox_table.c.task_id == won.c.id)
        .returning(outbox_table.c.task_id, _PUBLISHED_AT)
        .cte("gone")
    )
    return select(won, gone.c.published_at).select_from(
        won.outerjoin(gone, gone.c.task_id == won.c.id)
    )


def _succeed_many(dialect: str) -> Update:
    given = _given(dialect, _SUCCESS_COLUMNS)
    began_at = clock.before(given.c.ran_seconds)
    is_later = and_(given.c.ran_seconds.is_not(None), began_at > tasks.c.started_at)
    later = case((is_later, began_at), else_=tasks.c.started_at)
    return _update_given(
        given,
        lifecycle.SUCCEED,
        result=given.c.result,
        failure=None,
        started_at=later,
        finished_at=clock.now(),
    ).returning(tasks.c.id)


_CLAIM_MANY = {dialect: _claim_many(dialect, ~IS_PAUSED) for dialect in ("postgresql", "sqlite")}
_CLAIM_RUNNING = {dialect: _claim_many(dialect) for dialect in ("postgresql", "sqlite")}
_SUCCEED_MANY = {dialect: _succeed_many(dialect) for dialect in ("postgresql", "sqlite")}

_EXPIRE_MANY = (
    update(tasks)
    .where(
        tasks.c.id.in_(bindparam("ids", expanding=True)),
        tasks.c.state.in_(sorted(lifecycle.EXPIRE.sources)),
        tasks.c.expires_at <= clock.now(),
    )
    .values(state=lifecycle.EXPIRE.target, version=tasks.c.version + 1, finished_at=clock.now())
    .returning(tasks.c.id)
)
