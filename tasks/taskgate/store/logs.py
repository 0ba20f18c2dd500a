"""What attempts have logged: a row for each that has logged anything, with its newest lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, exists, literal, select

from taskgate.store.tables import insert_into, logs, tasks


class Line(NamedTuple):
    """A line that an attempt has logged."""

    time: float
    """Seconds since 1970, by the clock of the worker's machine."""
    level: str
    logger: str
    message: str


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """The newest lines of one attempt."""

    task_id: str
    attempt: int
    dropped: int
    """How many lines came before them."""
    lines: tuple[Line, ...]


def write(tx: Connection, log: AttemptLog) -> None:
    """Replace what is on record of the attempt's log; nothing if the task is not."""
    row = select(
        literal(log.task_id, logs.c.task_id.type),
        literal(log.attempt),
        literal(log.dropped),
        literal(json.dumps(log.lines), logs.c.lines.type),
    ).where(exists().where(tasks.c.id == literal(log.task_id, tasks.c.id.type)))
    statement = insert_into(tx, logs).from_select(list(logs.c.keys()), row)
    new = statement.excluded
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[logs.c.task_id, logs.c.attempt],
            set_={"dropped": new.dropped, "lines": new.lines},
        )
    )


def read(tx: Connection, task_id: str, first_attempt: int, limit: int) -> list[AttemptLog]:
    """The logs of a task's attempts from a number on, so many at most, in their order."""
    rows = tx.execute(
        select(logs)
        .where(logs.c.task_id == task_id, logs.c.attempt >= first_attempt)
        .order_by(logs.c.attempt)
        .limit(limit)
    )
    return [
        AttemptLog(row.task_id, row.attempt, row.dropped, tuple(Line(*one) for one in lines))
        for row in rows
        for lines in [json.loads(row.lines)]
    ]
