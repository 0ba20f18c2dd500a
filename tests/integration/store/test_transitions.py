"""Every transition from every state: made where the lifecycle says so, refused elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection

from support.records import (
    FAILURE,
    HOUR,
    NOW,
    WORKER,
    make_due,
    make_overdue,
    read,
    submitted_in,
    take,
)
from taskgate.store import lifecycle, queries, transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskAlreadyFinal
from taskgate.store.lifecycle import FINAL, TRANSITIONS, State, Transition


@dataclass(frozen=True)
class Call:
    """A function of the store, and the transitions that it tries, the first that fits."""

    make: Callable[[Connection, str, int], object]
    tries: tuple[Transition, ...]


def due(tx: Connection, task_id: str, _attempt: int) -> bool:
    make_due(tx, task_id)
    return take(tx, task_id) is not None


def claim(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.claim(tx, task_id, attempt, WORKER) is not None


def succeed(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.succeed(tx, task_id, attempt, "3")


def fail(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.fail(tx, task_id, attempt, FAILURE)


def back_off(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.back_off(tx, task_id, attempt, FAILURE, delay=HOUR, retries=1)


def replace(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.replace(tx, task_id, attempt, {"task_type": "demo.echo"}, NOW)


def replace_later(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.replace(tx, task_id, attempt, {"task_type": "demo.echo"}, HOUR)


def substitute(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.substitute(tx, task_id, attempt, {"task_type": "demo.echo"})


def lose(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.lose(tx, task_id, attempt, FAILURE, max_losses=1)


def lose_for_good(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.lose(tx, task_id, attempt, FAILURE, max_losses=0)


def report(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.report(tx, task_id, attempt, '{"state": "PROGRESS", "meta": 1}')


def abort(tx: Connection, task_id: str, _attempt: int) -> bool:
    before = queries.get(tx, task_id)
    try:
        after = transitions.request_abort(tx, task_id, by="someone", reason="because")
    except TaskAlreadyFinal:
        return False
    return after.version > before.version


def abort_many(tx: Connection, task_id: str, _attempt: int) -> bool:
    before = queries.get(tx, task_id)
    transitions.abort_many(tx, [task_id, "unknown"], by="someone", reason="because")
    return queries.get(tx, task_id).version > before.version


def force(tx: Connection, task_id: str, _attempt: int) -> bool:
    before = queries.get(tx, task_id)
    if before.state is not State.ABORTING:
        return False
    after = transitions.request_abort(tx, task_id, by="", reason="", force_after=NOW)
    return after.version > before.version


def expire(tx: Connection, task_id: str, _attempt: int) -> bool:
    make_overdue(tx, task_id)
    return transitions.expire(tx, task_id)


CALLS = {
    "due": Call(due, (lifecycle.DUE,)),
    "resume": Call(transitions.resume, (lifecycle.DUE,)),
    "claim": Call(claim, (lifecycle.CLAIM,)),
    "succeed": Call(succeed, (lifecycle.SUCCEED,)),
    "fail": Call(fail, (lifecycle.FAIL,)),
    "stop": Call(transitions.stop, (lifecycle.STOP,)),
    "back_off": Call(back_off, (lifecycle.BACK_OFF, lifecycle.STOP)),
    "give_back": Call(transitions.give_back, (lifecycle.GIVE_BACK, lifecycle.STOP)),
    "replace": Call(replace, (lifecycle.REPLACE[State.QUEUED],)),
    "replace_later": Call(replace_later, (lifecycle.REPLACE[State.SCHEDULED],)),
    "substitute": Call(substitute, (lifecycle.SUBSTITUTE,)),
    "lose": Call(lose, (lifecycle.GIVE_BACK, lifecycle.STOP)),
    "lose_for_good": Call(lose_for_good, (lifecycle.STOP, lifecycle.FAIL)),
    "report": Call(report, tuple(lifecycle.REPORT.values())),
    "abort": Call(abort, (lifecycle.CANCEL, lifecycle.REQUEST_ABORT)),
    "abort_many": Call(abort_many, (lifecycle.CANCEL, lifecycle.REQUEST_ABORT)),
    "force": Call(force, (lifecycle.FORCE_ABORT,)),
    "expire": Call(expire, (lifecycle.EXPIRE,)),
}


def target_of(call: Call, state: State) -> State | None:
    return next((t.target for t in call.tries if state in t.sources), None)


def test_every_transition_of_the_lifecycle_is_tried() -> None:
    assert {t for call in CALLS.values() for t in call.tries} == set(TRANSITIONS)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", CALLS)
def test_made_from_its_sources_and_refused_from_all_others(
    database: Database, name: str, state: State
) -> None:
    call = CALLS[name]
    with database.write() as tx:
        task_id = submitted_in(tx, state)
    before = read(database, task_id)
    with database.write() as tx:
        made = bool(call.make(tx, task_id, before.attempt))
    after = read(database, task_id)
    target = target_of(call, state)
    # A task that is QUEUED already is published again when its outbox row comes due again.
    assert made == (target is not None or (name, state) == ("due", State.QUEUED))
    assert after.state is (target or state)
    assert after.version == before.version + (target is not None)
    assert (after.finished_at is not None) == (after.state in FINAL)


FENCED = [name for name, call in CALLS.items() if all(t.fenced for t in call.tries)]


@pytest.mark.parametrize("wrong", [-1, 1], ids=["earlier", "later"])
@pytest.mark.parametrize("name", FENCED)
def test_fenced_ones_are_refused_for_any_other_attempt(
    database: Database, name: str, wrong: int
) -> None:
    call = CALLS[name]
    with database.write() as tx:
        task_ids = [submitted_in(tx, state) for state in State]
    before = [read(database, task_id) for task_id in task_ids]
    with database.write() as tx:
        for task in before:
            assert not call.make(tx, task.id, task.attempt + wrong)
    assert [read(database, task_id) for task_id in task_ids] == before


def test_an_unfenced_call_of_a_fenced_transition_is_a_mistake(database: Database) -> None:
    with database.write() as tx, pytest.raises(ValueError, match="must name the attempt"):
        transitions.apply(tx, lifecycle.CLAIM, "any", None)
