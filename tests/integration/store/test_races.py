"""Whoever wins a race, the record is lawful. The database itself writes down what happened."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from support.history import assert_lawful, changes, written_history
from support.races import back_off, fail, lose, run_races, succeed
from support.records import HOUR, PAST, WORKER, submit
from taskgate.store import outbox, transitions
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import State
from taskgate.store.tables import outbox as outbox_table

INTERLEAVINGS = {"sqlite": 150, "postgresql": 1_000}


@pytest.fixture
def recorded(database: Database) -> Iterator[Database]:
    with written_history(database):
        yield database


@pytest.mark.timeout(300)
def test_random_interleavings_of_abort_claim_finish_and_retry_wait(recorded: Database) -> None:
    run_races(recorded, range(INTERLEAVINGS[recorded.engine.dialect.name]))


def at_once(number: int, call: Callable[[int], object]) -> list[object]:
    """What a call returns to each of so many threads that make it at the same time."""
    start = threading.Barrier(number)

    def run(which: int) -> object:
        start.wait(timeout=60)
        return call(which)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_of_five_claims_of_an_attempt_one_wins(recorded: Database) -> None:
    for _ in range(40):
        with recorded.write() as tx:
            task_id = submit(tx)

        def claim(number: int, task_id: str = task_id) -> bool:
            with recorded.write() as tx:
                return transitions.claim(tx, task_id, 1, f"worker {number}") is not None

        assert sorted(map(bool, at_once(5, claim))) == [False] * 4 + [True]
        [change] = changes(recorded)[task_id]
        assert (change.became, change.version) == (State.RUNNING, 2)


def test_of_five_ends_of_an_attempt_one_wins(recorded: Database) -> None:
    ends = (succeed, fail, back_off, lose, transitions.give_back)
    for _ in range(40):
        with recorded.write() as tx:
            task_id = submit(tx)
            assert transitions.claim(tx, task_id, 1, WORKER)

        def end(number: int, task_id: str = task_id) -> bool:
            with recorded.write() as tx:
                return ends[number](tx, task_id, 1)

        assert sorted(map(bool, at_once(5, end))) == [False] * 4 + [True]
        claimed, ended = changes(recorded)[task_id]
        assert (claimed.version, ended.version) == (2, 3)


def test_dispatchers_aborts_and_sweeps_of_many_tasks_do_not_block_each_other(
    recorded: Database,
) -> None:
    with recorded.write() as tx:
        task_ids = [submit(tx, delay=HOUR) for _ in range(200)]
        tx.execute(outbox_table.update().values(publish_at=clock.in_(PAST)))

    def dispatch(number: int) -> None:
        while any(in_outbox(recorded)):
            with recorded.write() as tx:
                outbox.release(tx, outbox.take_due(tx, 20 + number))

    def abort_all(number: int) -> None:
        for task_id in random.Random(number).sample(task_ids, len(task_ids)):
            with recorded.write() as tx:
                transitions.request_abort(tx, task_id, by="", reason="")

    at_once(4, lambda number: (dispatch if number % 2 else abort_all)(number))
    histories = changes(recorded)
    for task_id in task_ids:
        assert_lawful(histories[task_id])
        assert histories[task_id][-1].became is State.ABORTED


def in_outbox(database: Database) -> Sequence[str]:
    with database.read() as tx:
        return tx.execute(select(outbox_table.c.task_id)).scalars().all()
