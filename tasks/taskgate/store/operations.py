"""Operations: work on many tasks, chosen at one moment and done in parts, by any server.

An operation's tasks are rows until they are worked on. A part of the work takes rows away and does
what is to be done with their tasks in one transaction, which holds the operation's own row: so one
server works on it at a time, no task is worked on twice, and another goes on where one has died.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, literal, select, tuple_, update

from taskgate.store import listing
from taskgate.store.database import clock
from taskgate.store.database.columns import Name, UtcDateTime
from taskgate.store.errors import OperationNotFound, RequestIdReused, TooManyTasks
from taskgate.store.listing import Filter, Position
from taskgate.store.record import from_row
from taskgate.store.tables import insert_into, operation_tasks, operations, tasks

MOST_TASKS = 1_000_000
"""In one operation."""

MOST_FAILURES = 20
"""That are kept with their reasons."""


class Kind(StrEnum):
    """What is done with each task."""

    ABORT = "ABORT"
    RETRY = "RETRY"
    DELETE = "DELETE"


class OperationState(StrEnum):
    """Whether an operation goes on."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class NewOperation:
    """An operation to be recorded."""

    id: str
    kind: Kind
    selection: str
    """JSON text: how its tasks were chosen, for people to read."""
    reason: str
    rate: float
    """Tasks a second, at most."""
    created_by: str
    request_id: str | None
    request_digest: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """The record of an operation."""

    id: str
    kind: str
    state: str
    selection: str
    reason: str
    rate: float
    total: int
    done: int
    outcomes: Mapping[str, int]
    """How many tasks there were of each outcome."""
    failures: str
    """JSON text: the first tasks that were left as they are, ``[[id, reason, message], …]``."""
    created_at: datetime
    created_by: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of one task."""

    word: str
    failure: str | None = None
    """A sentence, if the task was left as it is."""


def create(tx: Connection, new: NewOperation, wanted: Filter) -> Operation:
    """Record an operation with the tasks that fit now; the first one, if it is a repetition.

    Raises:
        RequestIdReused: the caller used the request id for another operation.
        TooManyTasks: more than ``MOST_TASKS`` fit.
    """
    values: dict[str, Any] = {
        **{name: getattr(new, name) for name in NewOperation.__slots__},
        "state": OperationState.RUNNING,
        "total": 0,
        "done": 0,
        "outcomes": {},
        "failures": "[]",
        "created_at": clock.now(),
        "next_at": clock.now(),
    }
    statement = insert_into(tx, operations).values(values).on_conflict_do_nothing()
    if tx.execute(statement.returning(operations.c.id)).first() is None:
        return _first(tx, new)
    chosen = listing.matching(wanted, [literal(new.id), tasks.c.id]).limit(MOST_TASKS + 1)
    total = tx.execute(
        insert(operation_tasks).from_select(["operation_id", "task_id"], chosen)
    ).rowcount
    if total > MOST_TASKS:
        raise TooManyTasks(f"more than {MOST_TASKS:,} tasks fit")
    tx.execute(update(operations).where(operations.c.id == new.id).values(total=total))
    return find(tx, new.id)


def _first(tx: Connection, new: NewOperation) -> Operation:
    """The operation of the same request."""
    row = tx.execute(
        select(operations.c.id, operations.c.request_digest).where(
            operations.c.created_by == new.created_by, operations.c.request_id == new.request_id
        )
    ).one()
    if row.request_digest != new.request_digest:
        raise RequestIdReused(new.request_id or "", row.id, "operation")
    return find(tx, row.id)


def find(tx: Connection, operation_id: str) -> Operation:
    """The operation with this id.

    Raises:
        OperationNotFound: there is none.
    """
    found = select(operations).where(operations.c.id == operation_id)
    row = tx.execute(found).mappings().one_or_none()
    if row is None:
        raise OperationNotFound(operation_id)
    return from_row(Operation, row)


def page(
    tx: Connection, after: Position | None, limit: int, created_by: str | None = None
) -> list[Operation]:
    """The newest after a position; those of one caller, if one is given."""
    key = (operations.c.created_at, operations.c.id)
    found = select(operations).order_by(*(column.desc() for column in key)).limit(limit)
    if after is not None:
        position = tuple_(literal(after.created_at, UtcDateTime()), literal(after.id, Name()))
        found = found.where(tuple_(*key) < position)
    if created_by is not None:
        found = found.where(operations.c.created_by == created_by)
    return [from_row(Operation, row) for row in tx.execute(found).mappings()]


def stop(tx: Connection, operation_id: str) -> Operation:
    """End an operation with what it has done so far; one that has ended stays as it is.

    Raises:
        OperationNotFound: there is none.
    """
    stopped = tx.execute(
        update(operations)
        .where(operations.c.id == operation_id, operations.c.state == OperationState.RUNNING)
        .values(state=OperationState.STOPPED, finished_at=clock.now())
    )
    if stopped.rowcount:
        tx.execute(delete(operation_tasks).where(operation_tasks.c.operation_id == operation_id))
    return find(tx, operation_id)


def delete_old(tx: Connection, older_than: timedelta) -> int:
    """Delete operations that ended that long ago; how many."""
    is_old = operations.c.finished_at < clock.in_(-older_than)
    return tx.execute(delete(operations).where(is_old)).rowcount


# The work.


def seconds_until_due(tx: Connection) -> float | None:
    """Seconds until there is work, negative if there is; None without operations."""
    row = tx.execute(
        select(operations.c.next_at, clock.now().label("now"))
        .where(operations.c.finished_at.is_(None))
        .order_by(operations.c.next_at)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.next_at - row.now).total_seconds()


def take(tx: Connection) -> Operation | None:
    """An operation that is due and that nobody else works on, for this transaction alone."""
    due = (
        select(operations)
        .where(operations.c.finished_at.is_(None), operations.c.next_at <= clock.now())
        .order_by(operations.c.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = tx.execute(due).mappings().one_or_none()
    return None if row is None else from_row(Operation, row)


def next_tasks(tx: Connection, operation: Operation, limit: int) -> list[str]:
    """The ids of the next tasks to work on."""
    is_its = operation_tasks.c.operation_id == operation.id
    found = select(operation_tasks.c.task_id).where(is_its).order_by(operation_tasks.c.task_id)
    return list(tx.execute(found.limit(limit)).scalars())


def record(
    tx: Connection, operation: Operation, outcomes: Mapping[str, TaskOutcome], *, is_last: bool
) -> None:
    """Say what became of tasks, and when to go on; ``is_last``: that there are no more."""
    words = dict(operation.outcomes)
    for outcome in outcomes.values():
        words[outcome.word] = words.get(outcome.word, 0) + 1
    failures = json.loads(operation.failures)
    failures += [
        [task_id, outcome.word, outcome.failure]
        for task_id, outcome in outcomes.items()
        if outcome.failure is not None
    ]
    tx.execute(
        delete(operation_tasks).where(
            operation_tasks.c.operation_id == operation.id,
            operation_tasks.c.task_id.in_(list(outcomes)),
        )
    )
    ended = {"state": OperationState.DONE, "finished_at": clock.now()} if is_last else {}
    tx.execute(
        update(operations)
        .where(operations.c.id == operation.id)
        .values(
            done=operations.c.done + len(outcomes),
            outcomes=words,
            failures=json.dumps(failures[:MOST_FAILURES]),
            next_at=clock.in_(timedelta(seconds=len(outcomes) / operation.rate)),
            **ended,
        )
    )


def put_off(tx: Connection, operation: Operation, seconds: float) -> None:
    """Have nobody look at the operation for a while."""
    tx.execute(
        update(operations)
        .where(operations.c.id == operation.id)
        .values(next_at=clock.in_(timedelta(seconds=seconds)))
    )


def failures_of(operation: Operation) -> Sequence[tuple[str, str, str]]:
    """The first tasks that were left as they are: id, reason, sentence."""
    return [tuple(one) for one in json.loads(operation.failures)]
