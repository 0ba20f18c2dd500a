"""A record that goes on as another task, and an id that is used for another.

``Task.replace``: the record's next attempt is of the replacement. Of a canvas it is the last task,
which others send when it is its turn: until then the record waits, QUEUED, and its message, which
knows no attempt of ours, takes it over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from kombu.utils import json as kombu_json
from sqlalchemy import Connection

from taskgate.store import canvas, outbox, queries, submission, sweeping, transitions
from taskgate.store.database import clock
from taskgate.store.lifecycle import State
from taskgate.store.record import Task
from taskgate.store.submission import FIRST_ATTEMPT
from taskgate.tasks.messages import SENT_HEADER, sent_by
from taskgate.tasks.sending import Unsent

_AWAITS = "awaits_replacement"
"""In ``Task.message``: a task of this id, which others will send, goes on with the record."""


class Taken(NamedTuple):
    """The attempt that a message stands for, which it does not know."""

    attempt: int
    is_new: bool
    """The record is a new one, in place of a task that had ended."""


def hand_over(tx: Connection, task_id: str, attempt: int, unsent: Sequence[Unsent]) -> bool:
    """Have the task go on as another, or as the last of those that ``unsent`` starts.

    False, and nothing is recorded, if the attempt is not ours any more, or is to be aborted.
    """
    own = next((one for one in unsent if one.task_id == task_id), None)
    if own is None:
        columns: Mapping[str, Any] = {"message": _awaiting(canvas.message(tx, task_id))}
    else:
        columns = _changed(own.columns)
    delay = None if own is None else own.delay
    if not transitions.replace(tx, task_id, attempt, columns, delay):
        return False
    for one in unsent:
        if one is not own:
            record_unsent(tx, one)
    return True


def take_over(tx: Connection, request: Any, values: Mapping[str, Any]) -> Taken | None:
    """Take over a record for a message without our header; None if it is not for this one.

    ``values``: what the message says, as columns of the record.
    """
    task_id = values["id"]
    found = queries.get_many(tx, [task_id]).get(task_id)
    if found is None or request is None:
        return None
    if found.state is State.RETRYING and found.retries == getattr(request, "retries", None):
        # A task that ran without our base class has sent its retry itself.
        if transitions.resume(tx, task_id, found.attempt):
            return Taken(found.attempt, is_new=False)
    elif _continues(found, request, values):
        if transitions.substitute(tx, task_id, found.attempt, _changed(values)):
            return Taken(found.attempt, is_new=False)
    elif _is_sent_anew(found, request) and sweeping.forget(tx, task_id):
        # The numbers go on: no word about the earlier task can be meant for this one.
        again = {"attempt": found.attempt + 1, "version": found.version + 1}
        return Taken(found.attempt + 1, is_new=submission.adopt(tx, {**values, **again}))
    return None


def is_awaited(tx: Connection, task_id: str) -> bool:
    """Whether the task waits for what it was replaced by, which may fail before its turn."""
    return _AWAITS in json.loads(canvas.message(tx, task_id) or "{}")


def _changed(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: columns[name] for name in columns.keys() - {"id", "state"}}


def record_unsent(tx: Connection, unsent: Unsent) -> None:
    """Have a new task published from the record."""
    later = unsent.delay > timedelta(0)
    state = State.SCHEDULED if later else State.QUEUED
    due_at = clock.read(tx) + clock.bounded(unsent.delay) if later else None
    if submission.adopt(tx, {**unsent.columns, "state": state, "due_at": due_at}):
        outbox.put(tx, unsent.task_id, FIRST_ATTEMPT, unsent.delay)


def _awaiting(message: str | None) -> str:
    """``Task.message`` of a task that was replaced by others, the last of which has its id."""
    carried = json.loads(message or "{}")
    nesting = carried.get("replaced_task_nesting", 0) + 1
    return kombu_json.dumps({**carried, _AWAITS: nesting})


def _continues(found: Task, request: Any, values: Mapping[str, Any]) -> bool:
    """Whether a message without our header is the replacement that the task waits for.

    It is not if it is the one that was replaced, delivered again.
    """
    carried = json.loads(found.message or "{}")
    if found.state is not State.QUEUED or _AWAITS not in carried:
        return False
    is_the_replaced = (
        (found.task_type, found.arguments) == (values["task_type"], values["arguments"])
        and (getattr(request, "replaced_task_nesting", 0) or 0) < carried[_AWAITS]
        and (getattr(request, "delivery_info", None) or {}).get("redelivered")
    )
    return not is_the_replaced


def _is_sent_anew(found: Task, request: Any) -> bool:
    """Whether a message uses the id of a task that has ended for another one, on purpose.

    Not a duplicate, nor what a task sends once more in its next attempt.
    """
    sender, before = getattr(request, SENT_HEADER, None), sent_by(found)
    return found.is_final and sender is not None and before is not None and sender != before
