"""Writing new records: many in one statement, each request id once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, select

from taskgate.store.database import clock
from taskgate.store.database.columns import storable
from taskgate.store.errors import RequestIdReused, StoreUnavailable
from taskgate.store.lifecycle import State
from taskgate.store.record import NewTask
from taskgate.store.tables import insert_into, labels, outbox, tasks

FIRST_VERSION = 1
FIRST_ATTEMPT = 1

_COPIED = [field.name for field in fields(NewTask) if field.name in tasks.c]
"""The columns that are as the caller says."""


# The formal model's step Submit.
def submit(
    tx: Connection, new_tasks: Sequence[NewTask], *, published: bool = False
) -> list[str | RequestIdReused]:
    """Record tasks, with an outbox row each.

    Tasks that are due at once are QUEUED, the others are SCHEDULED. ``published``: the caller
    publishes those that are QUEUED right after the commit; otherwise a dispatcher will.

    Submitting tasks again is safe when it is not known whether the first time was committed.

    Returns, for each in order, its id; the first one's id, if the caller used the request id
    before for the same content; or the error, if it was for other content.

    Raises:
        StoreUnavailable: the first task of a request id was deleted just now.
    """
    if not new_tasks:
        return []
    now = clock.read(tx)
    # In one order everywhere: two batches with the same request ids would block each other.
    rows = [_row(new, now) for new in sorted(new_tasks, key=_request)]
    inserted = _insert_unless_there(tx, rows)
    _insert_outbox(tx, [row for row in rows if row["id"] in inserted], now if published else None)
    _insert_labels(tx, [new for new in new_tasks if new.id in inserted], now)
    found = _find_earlier(tx, [new for new in new_tasks if new.id not in inserted])
    return [new.id if new.id in inserted else _same_or_error(new, found) for new in new_tasks]


def find_repeated(tx: Connection, new_tasks: Sequence[NewTask]) -> dict[str, str | RequestIdReused]:
    """What the request ids of tasks stand for, by the ids of the tasks that ``submit`` would get.

    The id of the first task, if it was for the same content, or the error, if it was for another.
    """
    earlier = _find_earlier(tx, list(new_tasks))
    return {
        new.id: _same_or_error(new, earlier)
        for new in new_tasks
        if _request(new) in earlier.requests
    }


def adopt(tx: Connection, values: dict[str, Any]) -> bool:
    """Record a task that reached a worker, or an abort, without a record.

    ``values``: the columns that differ from an empty task of the state given. False if there is a
    record already.
    """
    now = clock.read(tx)
    row = {**_empty_row(now), **values}
    row.setdefault("root_id", row["id"])
    return bool(_insert_unless_there(tx, [row]))


def _row(new: NewTask, now: datetime) -> dict[str, Any]:
    due_at = _due_at(new, now)
    waits = due_at is not None and due_at > now
    expires_at = new.expire_time
    if new.ttl is not None:
        expires_at = (due_at if waits and due_at else now) + clock.bounded(new.ttl)
    copied = {name: getattr(new, name) for name in _COPIED}
    return (
        _empty_row(now)
        | copied
        | {
            "state": State.SCHEDULED if waits else State.QUEUED,
            "due_at": due_at,
            "expires_at": expires_at,
            "root_id": new.root_id or new.id,
        }
    )


def _empty_row(now: datetime) -> dict[str, Any]:
    return {
        "version": FIRST_VERSION,
        "priority": 4,
        "labels": {},
        "attempt": FIRST_ATTEMPT,
        "retries": 0,
        "worker_losses": 0,
        "created_at": now,
        "submitted_by": "",
    }


def _due_at(new: NewTask, now: datetime) -> datetime | None:
    if new.delay is not None:
        return now + clock.bounded(new.delay)
    return new.schedule_time


def _insert_unless_there(tx: Connection, rows: list[dict[str, Any]]) -> set[str]:
    """The ids of the rows that had neither an id nor a request id that is on record already."""
    statement: Insert = insert_into(tx, tasks).on_conflict_do_nothing().returning(tasks.c.id)
    return set(tx.execute(statement, rows).scalars())


def _insert_outbox(
    tx: Connection, rows: list[dict[str, Any]], published_at: datetime | None
) -> None:
    if rows:
        tx.execute(outbox.insert(), [_outbox_row(row, published_at) for row in rows])


def _outbox_row(row: dict[str, Any], published_at: datetime | None) -> dict[str, Any]:
    is_published = published_at is not None and row["state"] is State.QUEUED
    return {
        "task_id": row["id"],
        "attempt": FIRST_ATTEMPT,
        "queue": row["queue"],
        "priority": row["priority"],
        "publish_at": row["due_at"] or row["created_at"],
        "published_at": published_at if is_published else None,
        "tries": 1 if is_published else 0,
    }


def _insert_labels(tx: Connection, new_tasks: list[NewTask], now: datetime) -> None:
    rows = [
        {"task_id": new.id, "name": name, "value": value, "created_at": now}
        for new in new_tasks
        # Names that differ only in what cannot be stored are one name.
        for name, value in {storable(name): value for name, value in new.labels.items()}.items()
    ]
    if rows:
        tx.execute(labels.insert(), rows)


def _request(new: NewTask) -> tuple[str, str]:
    """What tells one request of a caller from another; the second part is empty without an id."""
    return storable(new.submitted_by), storable(new.request_id or "")


@dataclass(frozen=True, slots=True)
class _Earlier:
    """Which tasks were recorded before: by their own ids, and by caller and request id."""

    ids: frozenset[str]
    requests: dict[tuple[str, str], tuple[str, str | None]]
    """The task's id and the digest of the request."""


def _find_earlier(tx: Connection, repeated: list[NewTask]) -> _Earlier:
    if not repeated:
        return _Earlier(frozenset(), {})
    ids = tx.execute(select(tasks.c.id).where(tasks.c.id.in_([new.id for new in repeated])))
    earlier = _Earlier(frozenset(ids.scalars()), {})
    # Caller by caller: for a list of pairs SQLite would read the whole index.
    for caller in {new.submitted_by for new in repeated}:
        requests = [new.request_id for new in repeated if new.submitted_by == caller]
        rows = tx.execute(
            select(tasks.c.request_id, tasks.c.id, tasks.c.request_digest).where(
                tasks.c.submitted_by == caller,
                tasks.c.request_id.is_not(None),
                tasks.c.request_id.in_(requests),
            )
        )
        for request_id, task_id, digest in rows:
            earlier.requests[storable(caller), request_id or ""] = (task_id, digest)
    return earlier


def _same_or_error(new: NewTask, earlier: _Earlier) -> str | RequestIdReused:
    if new.id in earlier.ids:
        return new.id
    if _request(new) not in earlier.requests:
        raise StoreUnavailable(
            f"the first task with request_id {new.request_id!r} was just deleted"
        )
    first_id, first_digest = earlier.requests[_request(new)]
    if new.request_digest == first_digest:
        return first_id
    return RequestIdReused(new.request_id or "", first_id)
