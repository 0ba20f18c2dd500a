"""Races over one task between workers, an abort, the dispatcher and the sweeper."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Connection

from support.history import Change, assert_lawful, changes
from support.records import FAILURE, HOUR, NOW, make_due, read, submit
from taskgate.store import outbox, transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskAlreadyFinal
from taskgate.store.lifecycle import ACTIVE, FINAL, State

MOST_STEPS = 200
PAUSE = 0.002
"""The longest pause between two steps, in seconds: it is what makes the interleavings differ."""


@dataclass
class Race:
    """One task, those who fight for it, and what they were told."""

    database: Database
    task_id: str
    seed: int
    start: threading.Barrier
    claims: list[tuple[int, float]] = field(default_factory=list)
    """The attempt of each claim that was won, and when its call began."""
    ends: list[int] = field(default_factory=list)
    """The attempt of each end that was won."""
    aborted_at: float | None = None
    """When an abort was answered with ABORTED."""

    def dice(self, actor: str) -> random.Random:
        return random.Random(f"{self.seed} {actor}")

    def end(self, attempt: int, how: End) -> bool:
        with self.database.write() as tx:
            won = how(tx, self.task_id, attempt)
        if won:
            self.ends.append(attempt)
        return won


End = Callable[[Connection, str, int], bool]


def succeed(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.succeed(tx, task_id, attempt, "3")


def fail(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.fail(tx, task_id, attempt, FAILURE)


def back_off(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.back_off(tx, task_id, attempt, FAILURE, delay=NOW, retries=attempt)


def lose(tx: Connection, task_id: str, attempt: int) -> bool:
    return transitions.lose(tx, task_id, attempt, FAILURE, max_losses=2)


ENDS: Sequence[End] = (succeed, fail, back_off, back_off, transitions.give_back, transitions.stop)


def work(race: Race, name: str) -> None:
    """Claim what is delivered, sometimes by an old message, and end it one way or another."""
    dice = race.dice(name)
    race.start.wait(timeout=60)
    for _ in range(MOST_STEPS):
        task = read(race.database, race.task_id)
        if task.is_final:
            return
        attempt = task.attempt - (dice.random() < 0.1)
        began = time.monotonic()
        with race.database.write() as tx:
            claim = transitions.claim(tx, race.task_id, attempt, name)
        if claim is not None:
            race.claims.append((attempt, began))
            run(race, attempt, dice)
        time.sleep(dice.random() * PAUSE)


def run(race: Race, attempt: int, dice: random.Random) -> None:
    time.sleep(dice.random() * PAUSE)
    if dice.random() < 0.3:
        with race.database.write() as tx:
            transitions.report(tx, race.task_id, attempt, "{}")
    # A task can only stop once an abort was asked for; then it returns instead.
    race.end(attempt, dice.choice(ENDS)) or race.end(attempt, succeed)


def abort(race: Race) -> None:
    dice = race.dice("aborter")
    race.start.wait(timeout=60)
    time.sleep(dice.random() * 5 * PAUSE)
    force_after = HOUR if dice.random() < 0.3 else None
    try:
        with race.database.write() as tx:
            task = transitions.request_abort(
                tx, race.task_id, by="someone", reason="because", force_after=force_after
            )
    except TaskAlreadyFinal:
        return
    if task.state is State.ABORTED:
        race.aborted_at = time.monotonic()


def dispatch_and_sweep(race: Race) -> None:
    """Publish what is due, and sometimes take the worker for dead."""
    dice = race.dice("dispatcher")
    race.start.wait(timeout=60)
    for _ in range(MOST_STEPS):
        with race.database.write() as tx:
            outbox.take_due(tx, 10)
        task = read(race.database, race.task_id)
        if task.is_final:
            return
        if task.state in ACTIVE and dice.random() < 0.1:
            race.end(task.attempt, lose)
        time.sleep(dice.random() * PAUSE)


ACTORS: Sequence[Callable[[Race], None]] = (
    lambda race: work(race, "one worker"),
    lambda race: work(race, "another worker"),
    abort,
    dispatch_and_sweep,
)


def submitted(database: Database, dice: random.Random) -> str:
    with database.write() as tx:
        if dice.random() < 0.5:
            return submit(tx)
        task_id = submit(tx, delay=HOUR)
        make_due(tx, task_id)
    return task_id


def assert_fair(race: Race, history: list[Change]) -> None:
    assert_lawful(history)
    assert history[-1].became in FINAL, history
    claimed = [c.attempt for c in history if c.was is State.QUEUED and c.became is State.RUNNING]
    ended = [c.attempt for c in history if c.was in ACTIVE and c.became not in ACTIVE]
    # Each was won by one, and whoever won was told so.
    assert len(set(claimed)) == len(claimed), history
    assert len(set(ended)) == len(ended), history
    assert sorted(attempt for attempt, _ in race.claims) == sorted(claimed), race
    assert sorted(race.ends) == sorted(ended), race
    if race.aborted_at is not None:
        assert all(began < race.aborted_at for _, began in race.claims), race


def run_races(database: Database, seeds: Iterable[int]) -> None:
    """Run one race after the other, and check them all by the history that the database wrote.

    Raises:
        AssertionError: a race was not fair, or they were too much alike to prove anything.
    """
    races = []
    with ThreadPoolExecutor(len(ACTORS)) as pool:
        for seed in seeds:
            task_id = submitted(database, random.Random(seed))
            race = Race(database, task_id, seed, threading.Barrier(len(ACTORS)))
            for running in [pool.submit(actor, race) for actor in ACTORS]:
                running.result(timeout=60)
            races.append(race)
    histories = changes(database)
    for race in races:
        assert_fair(race, histories[race.task_id])
    seen = {change.became for race in races for change in histories[race.task_id]}
    assert seen == set(State) - {State.SCHEDULED, State.EXPIRED}


def run_races_at(database_url: str, first_seed: int, number: int) -> None:
    """Run races in a process of their own."""
    database = Database(database_url)
    run_races(database, range(first_seed, first_seed + number))
    database.close()
