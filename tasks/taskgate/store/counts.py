"""How many tasks fit a filter: counted up to a bound, beyond it the planner's own estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, Executable

from taskgate.store import listing
from taskgate.store.lifecycle import State
from taskgate.store.listing import Filter
from taskgate.store.stats import Count
from taskgate.store.tables import tasks

EXACT_UP_TO = 100_000
"""Tasks that are counted on PostgreSQL. On SQLite, which has no estimate, all are."""

MOST_GROUPS = 1_000


def count(tx: Connection, wanted: Filter) -> Count:
    """How many tasks fit."""
    if tx.dialect.name == "sqlite":
        return Count(listing.count(tx, wanted, None), is_estimate=False)
    counted = listing.count(tx, wanted, EXACT_UP_TO + 1)
    if counted <= EXACT_UP_TO:
        return Count(counted, is_estimate=False)
    # Of more than were counted there are at least as many.
    return Count(max(_estimate(tx, wanted), counted), is_estimate=True)


def by_state(tx: Connection, wanted: Filter) -> Mapping[State, Count]:
    """The same apart for each state that any are in."""
    states = sorted(wanted.states or State)
    return _existing({one: count(tx, replace(wanted, states=frozenset({one}))) for one in states})


def by_task_type(tx: Connection, wanted: Filter) -> Mapping[str, Count]:
    """The same apart for each task type that any are of, the first ones by name."""
    names = sorted(wanted.task_types or listing.task_types(tx))[:MOST_GROUPS]
    return _existing({n: count(tx, replace(wanted, task_types=frozenset({n}))) for n in names})


def by_queue(tx: Connection, wanted: Filter) -> Mapping[str, Count]:
    """The same apart for each queue that any are in, the first ones by name."""
    names = sorted(wanted.queues or listing.queues(tx))[:MOST_GROUPS]
    return _existing({n: count(tx, replace(wanted, queues=frozenset({n}))) for n in names})


def _existing(counts: Mapping[Any, Count]) -> dict[Any, Count]:
    return {group: number for group, number in counts.items() if number.tasks}


class _Explained(Executable, ClauseElement):
    """How PostgreSQL would carry out a statement."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explained, "postgresql")
def _explained(element: _Explained, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"


def _estimate(tx: Connection, wanted: Filter) -> int:
    found = listing.matching(wanted, [tasks.c.id])
    [plan] = tx.execute(_Explained(found)).scalar_one()
    return int(plan["Plan"]["Plan Rows"])
