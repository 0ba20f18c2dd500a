"""Writing new records: many in one statement, each request id once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from taskgate.store import clock
from taskgate.store.errors import RequestIdReused
from taskgate.store.lifecycle import State
from taskgate.store.outbox import hold
from taskgate.store.record import NewTask
from taskgate.store.tables import outbox, tasks

FIRST_VERSION = 1
FIRST_ATTEMPT = 1


def submit(tx: Connection, new_tasks: Sequence[NewTask]) -> list[str | RequestIdReused]:
    """Record tasks, with an outbox row each.

    Tasks that are due at once are QUEUED, and their outbox rows are held for the caller, who
    publishes them after the commit; the others are SCHEDULED.

    Returns, for each in order, its id; the first one's id, if the caller used the request id
    before for the same content; or the error, if it was for other content.
    """
    if not new_tasks:
        return []
    now = clock.read(tx)
    rows = [_row(new, now) for new in new_tasks]
    inserted = _insert_unless_requested_before(tx, rows)
    _insert_outbox(tx, [row for row in rows if row["id"] in inserted], now)
    repeated = [new for new in new_tasks if new.id not in inserted]
    first = _first_submissions(tx, repeated)
    return [
        new.id if new.id in inserted else _same_or_error(new, *first[_request(new)])
        for new in new_tasks
    ]


def adopt(tx: Connection, values: dict[str, Any]) -> bool:
    """Record a task that reached a worker, or an abort, without a record.

    ``values``: the columns that differ from an empty task of the state given. False if there is a
    record already.
    """
    row = {**_empty_row(clock.read(tx)), **values}
    row.setdefault("root_id", row["id"])
    statement = _insert(tx).values(row).on_conflict_do_nothing()
    return tx.execute(statement).rowcount == 1


def _row(new: NewTask, now: datetime) -> dict[str, Any]:
    due_at = _due_at(new, now)
    waits = due_at is not None and due_at > now
    expires_at = new.expire_time
    if new.ttl is not None:
        expires_at = (due_at if waits and due_at else now) + new.ttl
    return _empty_row(now) | {
        "id": new.id,
        "task_type": new.task_type,
        "state": State.SCHEDULED if waits else State.QUEUED,
        "queue": new.queue,
        "priority": new.priority,
        "arguments": new.arguments,
        "labels": json.dumps(dict(new.labels)),
        "max_attempts": new.max_attempts,
        "due_at": due_at,
        "queued_at": None if waits else now,
        "expires_at": expires_at,
        "run_timeout": new.run_timeout.total_seconds() if new.run_timeout else None,
        "retry_of": new.retry_of,
        "root_id": new.root_id or new.id,
        "submitted_by": new.submitted_by,
        "request_id": new.request_id,
        "request_digest": new.request_digest,
        "retry_policy": new.retry_policy.to_json() if new.retry_policy else None,
    }


def _empty_row(now: datetime) -> dict[str, Any]:
    return {
        "version": FIRST_VERSION,
        "priority": 4,
        "labels": "{}",
        "attempt": FIRST_ATTEMPT,
        "retries": 0,
        "worker_losses": 0,
        "redispatches": 0,
        "created_at": now,
        "submitted_by": "",
    }


def _due_at(new: NewTask, now: datetime) -> datetime | None:
    if new.delay is not None:
        return now + new.delay
    return new.schedule_time


def _insert(tx: Connection) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say ON CONFLICT, which both databases spell alike."""
    if tx.dialect.name == "postgresql":
        return postgresql.insert(tasks)
    return sqlite.insert(tasks)


def _insert_unless_requested_before(tx: Connection, rows: list[dict[str, Any]]) -> set[str]:
    statement: Insert = _insert(tx).on_conflict_do_nothing().returning(tasks.c.id)
    return set(tx.execute(statement, rows).scalars())


def _insert_outbox(tx: Connection, rows: list[dict[str, Any]], now: datetime) -> None:
    if not rows:
        return
    held_until = now + hold(tries=1)
    tx.execute(
        outbox.insert(),
        [
            {
                "task_id": row["id"],
                "attempt": FIRST_ATTEMPT,
                "publish_at": held_until if row["state"] == State.QUEUED else row["due_at"],
                "tries": 1 if row["state"] == State.QUEUED else 0,
            }
            for row in rows
        ],
    )


def _request(new: NewTask) -> tuple[str, str | None]:
    return new.submitted_by, new.request_id


def _first_submissions(
    tx: Connection, repeated: list[NewTask]
) -> dict[tuple[str, str | None], tuple[str, str | None]]:
    """The id and the request's digest of the task that was first to use each request id."""
    if not repeated:
        return {}
    rows = tx.execute(
        select(tasks.c.submitted_by, tasks.c.request_id, tasks.c.id, tasks.c.request_digest).where(
            tuple_(tasks.c.submitted_by, tasks.c.request_id).in_([_request(r) for r in repeated])
        )
    )
    return {(row.submitted_by, row.request_id): (row.id, row.request_digest) for row in rows}


def _same_or_error(new: NewTask, first_id: str, first_digest: str | None) -> str | RequestIdReused:
    if new.request_digest == first_digest:
        return first_id
    return RequestIdReused(new.request_id or "", first_id)
