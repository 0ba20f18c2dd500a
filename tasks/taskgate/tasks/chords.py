"""Chords: the body is due once the record says that every part of the header has ended.

Celery's own way, a task that looks every second, would leave the record of an attempt each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery.result import GroupResult
from sqlalchemy import Connection

from taskgate.store import canvas, queries, submission
from taskgate.store.record import NewTask, new_task_id
from taskgate.tasks.brokers import connecting
from taskgate.tasks.serializing import arguments_json, from_json, to_json

_PREFIX = "chord:"
_UNLOCK = "celery.chord_unlock"


def save(tx: Connection, header: GroupResult, body: Any, queue: str) -> None:
    """Remember a chord whose parts are about to start; its body is unlocked from ``queue``."""
    results = [result.as_tuple() for result in header.results or ()]
    chord = {
        "parts": list(_leaves(header)),
        "arguments": arguments_json((header.id, body), {"result": results}),
        "queue": queue,
    }
    canvas.save_group(tx, f"{_PREFIX}{header.id}", to_json(chord))


def unlock(tx: Connection, group_id: str) -> bool:
    """Have the body started if all parts are final; False if one is not, or if it was already."""
    key = f"{_PREFIX}{group_id}"
    saved = canvas.restore_group(tx, key)
    if saved is None:
        return False
    chord = from_json(saved)
    if not queries.are_final(tx, chord["parts"]) or not canvas.remove_group(tx, key):
        return False
    new = NewTask(
        id=new_task_id(),
        task_type=_UNLOCK,
        arguments=chord["arguments"],
        queue=chord["queue"],
        # Of a queue's lists in Redis, a worker without taskgate surely reads the most urgent one.
        priority=connecting.HIGHEST,
    )
    submission.submit(tx, [new])
    return True


def waiting(tx: Connection) -> list[str]:
    """The ids of the groups whose chords wait for a part."""
    return [key.removeprefix(_PREFIX) for key in canvas.group_ids(tx, _PREFIX)]


def _leaves(header: GroupResult) -> Iterator[str]:
    for result in header.results or ():
        if isinstance(result, GroupResult):
            yield from _leaves(result)
        else:
            yield str(result.id)
