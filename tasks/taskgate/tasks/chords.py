"""Chords: the body is due once the record says that every part of the header has ended.

Celery's own way, a task that looks every second, would leave the record of an attempt each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery.result import GroupResult
from sqlalchemy import Connection

from taskgate.store import chords, queries, submission, sweeping
from taskgate.store.record import NewTask, new_task_id
from taskgate.tasks import messages
from taskgate.tasks.brokers import connecting
from taskgate.tasks.serializing import arguments_json, from_json

_UNLOCK = "celery.chord_unlock"


def save(
    tx: Connection, header: GroupResult, body: Any, queue: str, sender: str | None = None
) -> None:
    """Remember a chord whose parts are about to start; its body is unlocked from ``queue``.

    ``sender``: what marks the parts' messages, if a task sends them.
    """
    chord_id, parts = str(header.id), list(_leaves(header))
    if earlier := _ended_before(tx, parts, sender):
        chords.remove(tx, chord_id)
        sweeping.delete_records(tx, earlier)
    results = [result.as_tuple() for result in header.results or ()]
    arguments = arguments_json((chord_id, body), {"result": results})
    chords.save(tx, chord_id, arguments, queue, parts)


def add(tx: Connection, chord_id: str, result: Any) -> None:
    """Have the chord wait for one more task.

    Raises:
        ValueError: there is none of the id that waits.
    """

    def change(arguments: str) -> str:
        changed = from_json(arguments)
        changed["kwargs"]["result"].append(result.as_tuple())
        return arguments_json(changed["args"], changed["kwargs"])

    if not chords.add(tx, chord_id, str(result.id), change):
        raise ValueError(f"no chord {chord_id} waits for its parts")


def _ended_before(tx: Connection, parts: list[str], sender: str | None) -> list[str]:
    """The parts that ended when the same chord was applied before, by another call."""
    found = queries.get_many(tx, parts).values()
    return [
        task.id for task in found if task.is_final and messages.sent_by(task) not in (None, sender)
    ]


def unlock(tx: Connection, chord_id: str, part_id: str | None = None) -> bool:
    """Have the body started if all parts are final; False if one is not, or if it was already.

    ``part_id``: the part that has ended last, which is the body's parent.
    """
    unlock_id = new_task_id()
    unlocked = chords.unlock(tx, chord_id, unlock_id)
    if unlocked is None:
        return False
    new = NewTask(
        id=unlock_id,
        task_type=_UNLOCK,
        arguments=_with_parent(unlocked.arguments, part_id),
        queue=unlocked.queue,
        # Of a queue's lists in Redis, a worker without taskgate surely reads the most urgent one.
        priority=connecting.HIGHEST,
    )
    submission.submit(tx, [new])
    return True


def _with_parent(arguments: str, part_id: str | None) -> str:
    changed = from_json(arguments)
    _chord_id, body = changed["args"]
    if part_id is None or body.get("subtask_type") not in (None, "chain"):
        return arguments
    body["options"]["parent_id"] = part_id
    return arguments_json(changed["args"], changed["kwargs"])


def unlock_ready(tx: Connection, limit: int) -> list[str]:
    """Start the bodies whose last part ended elsewhere: aborted, expired or given up."""
    return [chord_id for chord_id in chords.ready(tx, limit) if unlock(tx, chord_id)]


def _leaves(header: GroupResult) -> Iterator[str]:
    for result in header.results or ():
        if isinstance(result, GroupResult):
            yield from _leaves(result)
        else:
            yield str(result.id)
