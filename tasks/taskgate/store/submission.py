"""Writing new records: each request id once, and on PostgreSQL many in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, select, text, update

from taskgate.store import insertion, queries
from taskgate.store.database import clock
from taskgate.store.database.columns import storable
from taskgate.store.errors import (
    RequestIdReused,
    StoreUnavailable,
    SubmissionRefused,
    UniqueKeyHeld,
)
from taskgate.store.record import NewTask, Task
from taskgate.store.tables import HOLDS_KEY, insert_into, tasks

FIRST_ATTEMPT = insertion.FIRST_ATTEMPT

Outcome = Task | SubmissionRefused
"""What became of a submission: the task on record, or why there is none."""


# The formal model's step Submit.
def submit(
    tx: Connection, new_tasks: Sequence[NewTask], *, published: bool = False
) -> list[Outcome]:
    """Record tasks, with an outbox row each.

    Tasks that are due at once are QUEUED, the others are SCHEDULED. ``published``: the caller
    publishes those that are QUEUED right after the commit; otherwise a dispatcher will.

    On PostgreSQL this is one statement, which may commit by itself (``Database.autocommit``): what
    follows it only looks up request ids that were used before. Submitting tasks again is safe when
    it is not known whether the first time was committed.

    Returns, for each in order, the task; the first one, if the caller used the request id before
    for the same content; the error, if it was for other content; and where another task holds the
    unique key that one, or the error, as the submission wants it.

    Raises:
        StoreUnavailable: what kept a task away has gone just now, again and again.
    """
    outcomes: dict[str, Outcome] = {}
    left = list(new_tasks)
    for _ in range(TRIES):
        if not left:
            break
        # In one order everywhere: two batches with the same request ids would block each other.
        inserted = insertion.insert(tx, sorted(left, key=_request), published=published)
        left = [new for new in left if new.id not in inserted]
        known = {**inserted, **find_repeated(tx, left)}
        outcomes.update(known)
        left = [new for new in left if new.id not in known]
        outcomes.update(_find_holders(tx, left))
        left = [new for new in left if new.id not in outcomes]
    if left:
        raise StoreUnavailable(f"what kept {left[0].id} from being recorded was just deleted")
    return [outcomes[new.id] for new in new_tasks]


TRIES = 3
"""What keeps a task away may end, or be deleted, before it is found."""


def _find_holders(tx: Connection, new_tasks: Sequence[NewTask]) -> dict[str, Outcome]:
    """Who holds the unique keys that tasks want, by their ids; whose time is over lets go."""
    outcomes: dict[str, Outcome] = {}
    for new in new_tasks:
        if new.unique_key is None:
            continue
        wanted = {"task_type": new.task_type, "unique_key": new.unique_key}
        holder = tx.execute(_HOLDER, wanted).one_or_none()
        if holder is None:
            continue
        if holder.is_over:
            tx.execute(update(tasks).where(tasks.c.id == holder.id).values(unique_ttl=None))
        elif not new.answers_holder:
            outcomes[new.id] = UniqueKeyHeld(new.unique_key, holder.id)
        elif task := queries.get_many(tx, [holder.id]).get(holder.id):
            outcomes[new.id] = task
    return outcomes


_FREE_AT = clock.later(tasks.c.finished_at, tasks.c.unique_ttl)

_HOLDER = select(tasks.c.id, case((clock.now() >= _FREE_AT, 1), else_=0).label("is_over")).where(
    text(HOLDS_KEY),
    tasks.c.task_type == bindparam("task_type", type_=tasks.c.task_type.type),
    tasks.c.unique_key == bindparam("unique_key", type_=tasks.c.unique_key.type),
)


def find_repeated(tx: Connection, new_tasks: Sequence[NewTask]) -> dict[str, Outcome]:
    """What is on record already of the tasks, by the ids of those that are.

    The first task of a request id, if it was for the same content, or the error, if it was for
    another.
    """
    if not new_tasks:
        return {}
    earlier = _find_earlier(tx, new_tasks)
    outcomes: dict[str, str | RequestIdReused] = {
        new.id: answer for new in new_tasks if (answer := earlier.answer(new)) is not None
    }
    first = queries.get_many(tx, {one for one in outcomes.values() if isinstance(one, str)})
    return {
        new_id: first[one] if isinstance(one, str) else one
        for new_id, one in outcomes.items()
        if not isinstance(one, str) or one in first
    }


def adopt(tx: Connection, values: dict[str, Any]) -> bool:
    """Record a task that reached a worker, or an abort, without a record.

    ``values``: the columns that differ from an empty task of the state given. False if there is a
    record already.
    """
    row = {**_empty_row(clock.read(tx)), **values}
    row.setdefault("root_id", row["id"])
    statement = insert_into(tx, tasks).on_conflict_do_nothing().returning(tasks.c.id)
    return tx.execute(statement, [row]).first() is not None


def _empty_row(now: datetime) -> dict[str, Any]:
    return {
        "version": insertion.FIRST_VERSION,
        "priority": 4,
        "labels": {},
        "attempt": FIRST_ATTEMPT,
        "retries": 0,
        "worker_losses": 0,
        "created_at": now,
        "submitted_by": "",
    }


def _request(new: NewTask) -> tuple[str, str]:
    """What tells one request of a caller from another; the second part is empty without an id."""
    return storable(new.submitted_by), storable(new.request_id or "")


@dataclass(frozen=True, slots=True)
class _Earlier:
    """Which tasks were recorded before: by their own ids, and by caller and request id."""

    ids: frozenset[str]
    requests: dict[tuple[str, str], tuple[str, str | None]]
    """The task's id and the digest of the request."""

    def answer(self, new: NewTask) -> str | RequestIdReused | None:
        """The id of the task that is there, or the error; None if there is neither."""
        if new.id in self.ids:
            return new.id
        first_id, first_digest = self.requests.get(_request(new), (None, None))
        if first_id is None or new.request_digest == first_digest:
            return first_id
        return RequestIdReused(new.request_id or "", first_id)


def _find_earlier(tx: Connection, repeated: Sequence[NewTask]) -> _Earlier:
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
