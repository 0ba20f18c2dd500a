"""One transition as one statement that changes nothing unless it may."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from taskgate.store.lifecycle import Transition
from taskgate.store.tables import tasks


def apply(
    tx: Connection,
    transition: Transition,
    task_id: str,
    attempt: int | None,
    guard: ColumnElement[bool] | None = None,
    /,
    **values: Any,
) -> dict[str, Any] | None:
    """Make the transition and set the columns; the new values of a few if it was made.

    Raises:
        ValueError: the transition is fenced, and no attempt is named.
    """
    statement = (
        update(tasks)
        .where(*conditions(transition, task_id, attempt, guard))
        .values(state=transition.target, version=tasks.c.version + 1, **values)
        .returning(tasks.c.started_at, tasks.c.retries, tasks.c.max_attempts, tasks.c.retry_policy)
    )
    row = tx.execute(statement).one_or_none()
    return None if row is None else row._asdict()


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
