"""The statements that insert records, with their outbox rows and labels.

Rows are given as one JSON text that the database takes apart, as to adapt each value by itself
takes Python longer than the insert takes PostgreSQL. The statements are built once, and read no
clock first: the database has its own at hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Float,
    FromClause,
    Integer,
    Row,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.types import TypeEngine

from taskgate.store.database import clock
from taskgate.store.database.columns import storable
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask, Task
from taskgate.store.tables import labels, outbox, tasks

FIRST_VERSION = 1
FIRST_ATTEMPT = 1

_TEXTS = ("submitted_from", "trace", "request_id", "request_digest", "retry_of", "schedule")

_INTEGERS = range(-(1 << 63), 1 << 63)


def insert(tx: Connection, new_tasks: Sequence[NewTask], *, published: bool) -> dict[str, Task]:
    """Insert the tasks whose ids and request ids are not on record yet; those, by their ids.

    ``published``: mark those that are QUEUED as published.
    """
    given = {new.id: new for new in new_tasks}
    parameters = {
        "given": json.dumps([_row(new, tx.dialect) for new in new_tasks]),
        "published": published,
    }
    labelled = [label for new in new_tasks if new.labels for label in _labels(new)]
    if tx.dialect.name == "postgresql":
        statement = _INSERT_LABELLED if labelled else _INSERT
        rows = tx.execute(statement, {**parameters, "labels": json.dumps(labelled)}).all()
    else:
        rows = _insert_in_sqlite(tx, parameters, labelled)
    return {row.id: _task(given[row.id], row) for row in rows}


def _insert_in_sqlite(
    tx: Connection, parameters: Mapping[str, Any], labelled: Sequence[Mapping[str, str]]
) -> Sequence[Row[Any]]:
    """SQLite inserts into one table in a statement."""
    rows = tx.execute(_SQLITE_TASKS, parameters).all()
    ids = {row.id for row in rows}
    if ids:
        tx.execute(_SQLITE_OUTBOX, {**parameters, "ids": json.dumps(sorted(ids))})
    if inserted := [label for label in labelled if label["task_id"] in ids]:
        tx.execute(_SQLITE_LABELS, {"labels": json.dumps(inserted)})
    return rows


# From a task to a row, and back.


def _row(new: NewTask, dialect: Dialect) -> dict[str, Any]:
    """What the statements are given of a task, without what is not set."""
    row: dict[str, Any] = {
        "id": storable(new.id),
        "task_type": storable(new.task_type),
        "arguments": storable(new.arguments),
        "queue": storable(new.queue),
        "priority": _integer(new.priority),
        "submitted_by": storable(new.submitted_by),
        "labels": _bound("labels", new.labels, dialect) if new.labels else "{}",
        "root_id": storable(new.root_id or new.id),
    }
    for name in (*_TEXTS, "unique_key", "unique_until") if new.unique_key else _TEXTS:
        if (text := getattr(new, name)) is not None:
            row[name] = storable(text)
    for name in ("delay", "ttl"):
        if (length := getattr(new, name)) is not None:
            row[name] = clock.bounded(length).total_seconds()
    for name in ("schedule_time", "expire_time"):
        if (time := getattr(new, name)) is not None:
            row[name] = _time(time, dialect)
    if new.max_attempts is not None:
        row["max_attempts"] = _integer(new.max_attempts)
    for name in ("run_timeout", "retry_policy", "unique_ttl"):
        if (value := getattr(new, name)) is not None:
            row[name] = _bound(name, value, dialect)
    return row


def _bound(column: str, value: Any, dialect: Dialect) -> Any:
    """A value as its column's type hands it to the driver."""
    return tasks.c[column].type.process_bind_param(value, dialect)  # type: ignore[attr-defined]


def _time(time: datetime, dialect: Dialect) -> str:
    """As PostgreSQL reads times, and as SQLAlchemy writes them in SQLite."""
    in_utc = time.astimezone(UTC)
    if dialect.name == "postgresql":
        return in_utc.isoformat()
    return in_utc.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _integer(number: int) -> int:
    """Within 64 bits: SQLite would make a real number of what it finds in JSON beyond them."""
    if number not in _INTEGERS:
        raise OverflowError(f"the integer {number} takes more than 64 bits")
    return number


def _labels(new: NewTask) -> Iterator[dict[str, str]]:
    # Names that differ only in what cannot be stored are one name.
    named = {storable(name): storable(value) for name, value in new.labels.items()}
    return ({"task_id": new.id, "name": name, "value": named[name]} for name in named)


def _task(new: NewTask, row: Row[Any]) -> Task:
    """The record, as to read it back would show it."""
    return Task(
        id=row.id,
        task_type=new.task_type,
        state=row.state,
        version=FIRST_VERSION,
        queue=new.queue,
        priority=new.priority,
        arguments=new.arguments,
        labels=new.labels,
        attempt=FIRST_ATTEMPT,
        retries=0,
        worker_losses=0,
        max_attempts=new.max_attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        started_at=None,
        finished_at=None,
        expires_at=row.expires_at,
        run_timeout=new.run_timeout,
        progress=None,
        result=None,
        failure=None,
        abort_requested_at=None,
        abort_reason=None,
        abort_by=None,
        abort_force_at=None,
        retry_of=new.retry_of,
        root_id=new.root_id or new.id,
        worker=None,
        submitted_by=new.submitted_by,
        retry_policy=new.retry_policy,
        message=None,
        unique_key=new.unique_key,
        unique_until=new.unique_until,
        unique_ttl=new.unique_ttl,
        trace=new.trace,
        schedule=new.schedule,
    )


# The statements.

_TIME = DateTime(timezone=True)
_TASK: Mapping[str, TypeEngine[Any]] = {
    "id": Text(),
    "task_type": Text(),
    "arguments": Text(),
    "queue": Text(),
    "priority": Integer(),
    "labels": Text(),
    "max_attempts": Integer(),
    "run_timeout": Float(),
    "retry_policy": Text(),
    "submitted_by": Text(),
    "submitted_from": Text(),
    "unique_key": Text(),
    "unique_until": Text(),
    "unique_ttl": Float(),
    "trace": Text(),
    "schedule": Text(),
    "request_id": Text(),
    "request_digest": Text(),
    "retry_of": Text(),
    "root_id": Text(),
    "delay": Float(),
    "ttl": Float(),
    "schedule_time": _TIME,
    "expire_time": _TIME,
}
"""What a statement is given of each task, by the names in its JSON."""

_LABEL: Mapping[str, TypeEngine[Any]] = {"task_id": Text(), "name": Text(), "value": Text()}

_SHOWN = ("id", "state", "created_at", "due_at", "expires_at")
"""What the database decides."""

_COPIED = [name for name in _TASK if name in tasks.c]


def _number(number: int) -> ColumnElement[int]:
    """Spelled out: a parameter has no type to PostgreSQL."""
    return literal_column(str(number), Integer())


def _text(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'", Text())


def _given(dialect: str, parameter: str, types: Mapping[str, TypeEngine[Any]]) -> Subquery:
    """The rows of a parameter with a JSON list of objects."""
    if dialect == "postgresql":
        columns = [literal_column(name, type_) for name, type_ in types.items()]
        rows = func.json_to_recordset(cast(bindparam(parameter), JSON))
        of = rows.table_valued(*columns).render_derived(name=parameter, with_types=True)
        return select(*(of.c[name] for name in types)).subquery()
    each = func.json_each(bindparam(parameter)).table_valued("value")
    parts = [
        func.json_extract(each.c.value, f"$.{name}", type_=type_).label(name)
        for name, type_ in types.items()
    ]
    return select(*parts).subquery()


def _new_tasks(dialect: str) -> Select[Any]:
    """The rows of the record."""
    given = _given(dialect, "given", _TASK)
    due_at = case(
        (given.c.delay.is_not(None), clock.after(given.c.delay)), else_=given.c.schedule_time
    )
    timed = select(given, due_at.label("due_at"), clock.now().label("now")).subquery()
    waits = timed.c.due_at > timed.c.now
    begins_at = case((waits, timed.c.due_at), else_=timed.c.now)
    values: dict[str, ColumnElement[Any]] = {
        **{name: timed.c[name] for name in _COPIED},
        "state": case((waits, _text(State.SCHEDULED)), else_=_text(State.QUEUED)),
        "version": _number(FIRST_VERSION),
        "attempt": _number(FIRST_ATTEMPT),
        "retries": _number(0),
        "worker_losses": _number(0),
        "created_at": timed.c.now,
        "due_at": timed.c.due_at,
        "expires_at": case(
            (timed.c.ttl.is_not(None), clock.later(begins_at, timed.c.ttl)),
            else_=timed.c.expire_time,
        ),
    }
    # SQLite could take ON CONFLICT for the condition of a join, were there no WHERE before it.
    return select(*(value.label(name) for name, value in values.items())).where(true())


def _insert_tasks(dialect: str, module: Any) -> Any:
    rows = _new_tasks(dialect)
    statement = module.insert(tasks).from_select([c.name for c in rows.selected_columns], rows)
    return statement.on_conflict_do_nothing().returning(
        *(tasks.c[name] for name in (*_SHOWN, "queue", "priority"))
    )


def _insert_outbox(new: FromClause) -> Any:
    is_published = and_(new.c.state == State.QUEUED, bindparam("published"))
    values = {
        "task_id": new.c.id,
        "attempt": _number(FIRST_ATTEMPT),
        "queue": new.c.queue,
        "priority": new.c.priority,
        "publish_at": func.coalesce(new.c.due_at, new.c.created_at),
        "published_at": case((is_published, new.c.created_at)),
        "tries": case((is_published, _number(1)), else_=_number(0)),
    }
    return outbox.insert().from_select([*values], select(*values.values()))


def _insert_labels(dialect: str, new: FromClause) -> Any:
    given = _given(dialect, "labels", _LABEL)
    rows = select(*(given.c[name] for name in _LABEL), new.c.created_at)
    return labels.insert().from_select(
        [*_LABEL, "created_at"], rows.join_from(given, new, new.c.id == given.c.task_id)
    )


def _in_one_statement(*, labelled: bool) -> Select[Any]:
    """PostgreSQL's: all of it commits by itself, in one round trip."""
    new = _insert_tasks("postgresql", postgresql).cte("new")
    others = [_insert_outbox(new)]
    if labelled:
        others.append(_insert_labels("postgresql", new))
    shown = select(*(new.c[name] for name in _SHOWN))
    return shown.add_cte(*(other.cte(f"other_{n}") for n, other in enumerate(others)))


_INSERT = _in_one_statement(labelled=False)
_INSERT_LABELLED = _in_one_statement(labelled=True)

_SQLITE_TASKS = _insert_tasks("sqlite", sqlite)
_SQLITE_OUTBOX = _insert_outbox(
    select(tasks)
    .where(tasks.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value)))
    .subquery()
)
_SQLITE_LABELS = _insert_labels("sqlite", tasks)
