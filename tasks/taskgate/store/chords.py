"""Chords: which tasks a body waits for, and what starts it once they have ended.

A chord's row lives until the task that starts the body has ended, so that nobody deletes a part
whose result that task has yet to read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from taskgate.store.database import clock
from taskgate.store.lifecycle import FINAL
from taskgate.store.tables import chord_parts, chords, insert_into, tasks


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What the task that starts a body is called with, and where."""

    arguments: str
    queue: str


def save(tx: Connection, chord_id: str, arguments: str, queue: str, parts: Collection[str]) -> None:
    """Have a chord wait for its parts, unless it does already."""
    row = {"id": chord_id, "arguments": arguments, "queue": queue, "created_at": clock.now()}
    statement = insert_into(tx, chords).values(row).on_conflict_do_nothing()
    if tx.execute(statement.returning(chords.c.id)).first() is not None:
        _add_parts(tx, chord_id, parts)


def add(tx: Connection, chord_id: str, part: str, change: Callable[[str], str]) -> bool:
    """Have a chord wait for one more part; ``change`` says so in what its body is started with.

    False if there is none that waits.
    """
    waits = (chords.c.id == chord_id, chords.c.unlock_id.is_(None))
    found = select(chords.c.arguments).where(*waits).with_for_update()
    arguments = tx.execute(found).scalar_one_or_none()
    if arguments is None:
        return False
    tx.execute(update(chords).where(*waits).values(arguments=change(arguments)))
    _add_parts(tx, chord_id, [part])
    return True


def remove(tx: Connection, chord_id: str) -> None:
    """Forget a chord, its parts free to go."""
    _delete_ids(tx, [chord_id])


def _add_parts(tx: Connection, chord_id: str, parts: Collection[str]) -> None:
    rows = [{"chord_id": chord_id, "task_id": part} for part in dict.fromkeys(parts)]
    if rows:
        tx.execute(insert_into(tx, chord_parts).on_conflict_do_nothing(), rows)


def unlock(tx: Connection, chord_id: str, unlock_id: str) -> Unlocked | None:
    """Let the task ``unlock_id`` start the body; None if a part still runs, or if another may."""
    statement = (
        update(chords)
        .where(chords.c.id == chord_id, _IS_READY)
        .values(unlock_id=unlock_id)
        .returning(chords.c.arguments, chords.c.queue)
    )
    row = tx.execute(statement).one_or_none()
    return None if row is None else Unlocked(row.arguments, row.queue)


def ready(tx: Connection, limit: int) -> list[str]:
    """Chords whose parts have all ended, and whose body nobody has started."""
    return list(tx.execute(select(chords.c.id).where(_IS_READY).limit(limit)).scalars())


def delete_done(tx: Connection, limit: int) -> int:
    """Delete the chords whose body was started; how many."""
    unlock_runs = exists().where(tasks.c.id == chords.c.unlock_id, tasks.c.state.not_in(_FINAL))
    return _delete(tx, and_(chords.c.unlock_id.is_not(None), ~unlock_runs), limit)


def delete_old(tx: Connection, older_than: timedelta, limit: int) -> int:
    """Delete the chords that wait that long for parts of which none is on its way; how many."""
    part_lives = exists().where(
        chord_parts.c.chord_id == chords.c.id,
        tasks.c.id == chord_parts.c.task_id,
        tasks.c.state.not_in(_FINAL),
    )
    is_old = chords.c.created_at < clock.in_(-older_than)
    return _delete(tx, and_(is_old, chords.c.unlock_id.is_(None), ~part_lives), limit)


def _delete(tx: Connection, condition: ColumnElement[bool], limit: int) -> int:
    ids = list(tx.execute(select(chords.c.id).where(condition).limit(limit)).scalars())
    _delete_ids(tx, ids)
    return len(ids)


def _delete_ids(tx: Connection, ids: Collection[str]) -> None:
    tx.execute(delete(chord_parts).where(chord_parts.c.chord_id.in_(ids)))
    tx.execute(delete(chords).where(chords.c.id.in_(ids)))


_FINAL = sorted(FINAL)

_HAS_ENDED = exists().where(tasks.c.id == chord_parts.c.task_id, tasks.c.state.in_(_FINAL))

_IS_READY = and_(
    chords.c.unlock_id.is_(None),
    ~exists().where(chord_parts.c.chord_id == chords.c.id, ~_HAS_ENDED),
)

IS_PART = exists().where(chord_parts.c.task_id == tasks.c.id)
"""A chord needs the task, or what it returned."""
