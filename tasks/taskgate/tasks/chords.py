"""Chords: the body is due once the record says that every part of the header has ended.

Celery's own way, a task that looks every second, would leave the record of an attempt each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery.result import GroupResult
from sqlalchemy import Connection

from taskgate.store import chords, submission
from taskgate.store.record import NewTask, new_task_id
from taskgate.tasks.brokers import connecting
from taskgate.tasks.serializing import arguments_json

_UNLOCK = "celery.chord_unlock"


def save(tx: Connection, header: GroupResult, body: Any, queue: str) -> None:
    """Remember a chord whose parts are about to start; its body is unlocked from ``queue``."""
    results = [result.as_tuple() for result in header.results or ()]
    arguments = arguments_json((header.id, body), {"result": results})
    chords.save(tx, str(header.id), arguments, queue, list(_leaves(header)))


def unlock(tx: Connection, chord_id: str) -> bool:
    """Have the body started if all parts are final; False if one is not, or if it was already."""
    unlock_id = new_task_id()
    unlocked = chords.unlock(tx, chord_id, unlock_id)
    if unlocked is None:
        return False
    new = NewTask(
        id=unlock_id,
        task_type=_UNLOCK,
        arguments=unlocked.arguments,
        queue=unlocked.queue,
        # Of a queue's lists in Redis, a worker without taskgate surely reads the most urgent one.
        priority=connecting.HIGHEST,
    )
    submission.submit(tx, [new])
    return True


def unlock_ready(tx: Connection, limit: int) -> list[str]:
    """Start the bodies whose last part ended elsewhere: aborted, expired or given up."""
    return [chord_id for chord_id in chords.ready(tx, limit) if unlock(tx, chord_id)]


def _leaves(header: GroupResult) -> Iterator[str]:
    for result in header.results or ():
        if isinstance(result, GroupResult):
            yield from _leaves(result)
        else:
            yield str(result.id)
