"""What happened since a time, counted: what metrics are made of.

Transactions do not commit in the order of the times that they write. So what is younger than
``SETTLE`` is counted anew at each reading, and only what is older is counted for good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from taskgate.store.database import clock
from taskgate.store.database.columns import UtcDateTime
from taskgate.store.lifecycle import ACTIVE, Reason, State
from taskgate.store.tables import attempts, state_in, tasks

SETTLE = timedelta(seconds=10)
"""Longer than any transaction of ours takes from its first statement to its commit."""

RUN_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds, those of prometheus-client's histograms: of how long tasks ran."""

WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""The same of how long they waited for a worker."""

NO_BUCKET = -1

RECORDED, RUNNING, ENDED, FORMER = "recorded", "running", "ended", "former"
"""Tasks that were recorded, that run now, that ended; attempts that did not end theirs."""


class Happened(NamedTuple):
    """Things of one kind, in one queue, of one task type, on one worker."""

    source: str
    """RECORDED, RUNNING, ENDED or FORMER."""
    word: str
    """The state of a task that ended, the outcome of an attempt that did not end its task."""
    queue: str
    task_type: str
    worker: str | None
    """The last one that had the task."""
    error: str | None
    """The type, or the reason, of a failure that ended a task."""
    is_settled: int
    """1 if these are old enough to be counted for good."""
    run_bucket: int
    """Of a task that succeeded: the bucket's index, which is their number beyond the last bound; or
    NO_BUCKET."""
    wait_bucket: int
    """Of a task that started without a detour, in the same way."""
    number: int
    starts: int
    """How many of them a worker had."""
    losses: int
    """How many of them failed because their worker died."""
    ran_seconds: float
    waited_seconds: float


def happened(tx: Connection, since: datetime, settled_until: datetime) -> Iterator[Happened]:
    """What happened since a time, and what runs now, in one snapshot."""
    rows = tx.execute(_HAPPENED, {"since": since, "settled_until": settled_until})
    return (Happened(*row) for row in rows)


class _text_in(FunctionElement[str]):  # noqa: N801 - reads as the SQL function that it is
    """A member of a column's JSON object, as text."""

    type = String()
    inherit_cache = True
    name = "text_in"


@compiles(_text_in, "postgresql")
def _text_in_postgresql(element: _text_in, compiler: SQLCompiler, **options: Any) -> str:
    column, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({column}::json ->> {name})"


@compiles(_text_in, "sqlite")
def _text_in_sqlite(element: _text_in, compiler: SQLCompiler, **options: Any) -> str:
    column, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_extract({column}, '$.' || {name})"


def _text(value: str) -> ColumnElement[Any]:
    return literal_column(f"'{value}'")


def _number(value: float) -> ColumnElement[Any]:
    return literal_column(str(value))


def _bucket(seconds: ColumnElement[float], buckets: Sequence[float]) -> ColumnElement[int]:
    bounds = ((seconds <= _number(bound), _number(index)) for index, bound in enumerate(buckets))
    return case(*bounds, else_=_number(len(buckets)))


_ZERO = _number(0)

# As expressions: SQLite would otherwise read whole indexes in their order, or all tasks before
# their attempts.
_QUEUE = tasks.c.queue.concat(_text(""))
_TYPE = tasks.c.task_type.concat(_text(""))

_SINCE = bindparam("since", type_=UtcDateTime())
_SETTLED_UNTIL = bindparam("settled_until", type_=UtcDateTime())

_HAS_SUCCEEDED = tasks.c.state == _text(State.SUCCEEDED)
_HAS_FAILED = tasks.c.state == _text(State.FAILED)
_RAN = clock.between(tasks.c.started_at, tasks.c.finished_at)
# An attempt that follows a lost or returned one has no time from which on it was due.
_WENT_STRAIGHT = and_(
    tasks.c.started_at.is_not(None),
    tasks.c.worker_losses == _ZERO,
    or_(tasks.c.attempt == _number(1), tasks.c.attempt == tasks.c.retries + _number(1)),
)
_WAITED = clock.between(func.coalesce(tasks.c.due_at, tasks.c.created_at), tasks.c.started_at)
_REASON = _text_in(tasks.c.failure, _text("reason"))
_ERROR = func.coalesce(func.nullif(_text_in(tasks.c.failure, _text("type")), _text("")), _REASON)


def _settled(at: ColumnElement[Any]) -> ColumnElement[int]:
    return case((at <= _SETTLED_UNTIL, _number(1)), else_=_number(0))


_WHAT_THERE_IS_NOT: Mapping[str, ColumnElement[Any]] = {
    "word": _text(""),
    "worker": _text(""),
    "error": _text(""),
    "is_settled": _number(0),
    "run_bucket": _number(NO_BUCKET),
    "wait_bucket": _number(NO_BUCKET),
}


def _counted(
    source: str,
    *,
    starts: ColumnElement[Any] = _ZERO,
    losses: ColumnElement[Any] = _ZERO,
    ran: ColumnElement[Any] = _ZERO,
    waited: ColumnElement[Any] = _ZERO,
    **groups: ColumnElement[Any],
) -> Select[Any]:
    """Rows of ``Happened``, grouped by those of its columns that are given."""
    columns = {**_WHAT_THERE_IS_NOT, **groups}
    return select(
        _text(source).label("source"),
        columns["word"].label("word"),
        _QUEUE.label("queue"),
        _TYPE.label("task_type"),
        *(columns[name].label(name) for name in list(_WHAT_THERE_IS_NOT)[1:]),
        func.count().label("number"),
        func.sum(starts).label("starts"),
        func.sum(losses).label("losses"),
        func.sum(ran).label("ran_seconds"),
        func.sum(waited).label("waited_seconds"),
    ).group_by(_QUEUE, _TYPE, *groups.values())


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, _number(1)), else_=_number(0))


_HAPPENED = union_all(
    _counted(RECORDED, is_settled=_settled(tasks.c.created_at)).where(tasks.c.created_at > _SINCE),
    _counted(RUNNING, worker=tasks.c.worker, starts=_number(1)).where(state_in(ACTIVE)),
    _counted(
        ENDED,
        word=type_coerce(tasks.c.state, String()),
        worker=tasks.c.worker,
        error=case((_HAS_FAILED, _ERROR), else_=null()),
        is_settled=_settled(tasks.c.finished_at),
        run_bucket=case((_HAS_SUCCEEDED, _bucket(_RAN, RUN_BUCKETS)), else_=_number(NO_BUCKET)),
        wait_bucket=case(
            (_WENT_STRAIGHT, _bucket(_WAITED, WAIT_BUCKETS)), else_=_number(NO_BUCKET)
        ),
        starts=_flag(tasks.c.started_at.is_not(None)),
        losses=_flag(and_(_HAS_FAILED, _text(Reason.WORKER_LOST) == _REASON)),
        ran=case((_HAS_SUCCEEDED, _RAN), else_=_number(0.0)),
        waited=case((_WENT_STRAIGHT, _WAITED), else_=_number(0.0)),
    ).where(tasks.c.finished_at > _SINCE),
    _counted(
        FORMER,
        word=type_coerce(attempts.c.outcome, String()),
        worker=attempts.c.worker,
        is_settled=_settled(attempts.c.ended_at),
        starts=_flag(attempts.c.started_at.is_not(None)),
    )
    .join_from(attempts, tasks, attempts.c.task_id.concat(_text("")) == tasks.c.id)
    .where(attempts.c.ended_at > _SINCE),
)
