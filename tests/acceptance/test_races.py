"""Aborts at random moments: against the claim, the end, the wait for a retry."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from support.deployment import Deployment
from support.journal import Entry
from taskgate.client import Client, RetryPolicy, State, Task, TaskAlreadyFinal, TaskHandle

INTERLEAVINGS = 1_000
AT_ONCE = 10
"""Client threads, each with one task at a time; the worker can run more."""

MOMENTS = (
    frozenset[State](),
    frozenset({State.QUEUED}),
    frozenset({State.QUEUED, State.RUNNING}),
)
"""States whose end a client waits for before it aborts: none, so that the abort races with the
claim; until the task runs; until its first attempt has ended."""


@dataclass
class Race:
    """One task, the aborts it got, and how it ended."""

    final: Task
    answers: list[Task | None]
    """What each abort answered, in their order; None: the task was final."""
    journal: list[Entry] = field(default_factory=list)


@pytest.fixture(scope="module")
def racing(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, with a worker whose threads are free at once."""
    with deployment.start_worker("--queues=idle-4", "--pool=threads", "--concurrency=20"):
        yield deployment


def submit_one(client: Client, chance: random.Random) -> TaskHandle:
    backoff = chance.choice([0.001, 0.05, 0.2])
    policy = RetryPolicy(max_attempts=3, initial_backoff=backoff, backoff_multiplier=1)
    name, argument = chance.choice(
        [
            ("journal.run", chance.uniform(0, 0.1)),
            ("journal.abortable", chance.uniform(0, 0.5)),
            ("journal.flaky", chance.choice([1, 2, 6])),
        ]
    )
    return client.submit(name, [argument], queue="idle-4", retry_policy=policy)


def abort(task: TaskHandle) -> Task | None:
    try:
        return task.abort()
    except TaskAlreadyFinal:
        return None


class Racer:
    """Submits and aborts, and looks at what is final again and again."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self._client = deployment.client()
        self._seed = seed
        self._stop = threading.Event()
        self.races: list[Race] = []

    def run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE + 1) as pool:
            watching = pool.submit(self._watch)
            try:
                deque(pool.map(self._race, range(INTERLEAVINGS)), maxlen=0)
            finally:
                self._stop.set()
            watching.result()
        self._look(self.races)

    def _race(self, number: int) -> None:
        chance = random.Random(self._seed + number)
        task = submit_one(self._client, chance)
        moment = chance.choice(MOMENTS)
        if moment:
            next(now for now in task.watch(60) if now.state not in moment)
        answers = []
        for _ in range(chance.choice([1, 1, 2])):
            time.sleep(chance.choice([0, chance.uniform(0, 0.05), chance.uniform(0, 0.3)]))
            answers.append(abort(task))
        self.races.append(Race(task.wait(60), answers))
        if number % 3 == 0:
            abort(task)  # too late

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self._look(random.choices(self.races, k=5) if self.races else [])

    def _look(self, races: list[Race]) -> None:
        for race in races:
            assert self._client.task(race.final.id).get() == race.final


def check_history(race: Race) -> None:
    """The record and the journal tell one story."""
    task = race.final
    starts = [entry.attempt for entry in race.journal if entry.word == "start"]
    words = {entry.word for entry in race.journal}
    # Claimed ahead, it can be given back, or aborted, before it starts.
    may_miss = {"RETURNED", "ABORTED"}
    missed = [one for one in task.attempts if one.number not in starts]
    assert all(attempt.outcome in may_miss for attempt in missed)
    assert set(starts) <= {attempt.number for attempt in task.attempts}
    assert len(set(starts)) == len(starts)
    assert ("end" in words) == (task.state is State.SUCCEEDED)
    assert "saw-abort" not in words or task.state is State.ABORTED
    assert (task.abort is not None) == any(race.answers)


def check_answers(race: Race) -> None:
    """What an abort answered stayed true."""
    for answer in filter(None, race.answers):
        assert answer.abort == race.final.abort
        if answer.state is State.ABORTED:
            assert answer == race.final
        else:
            assert answer.state is State.ABORTING
            assert answer.attempt == race.final.attempt  # it is never retried


def outcome(race: Race) -> str:
    """Which of the races this was."""
    first = race.answers[0]
    if first is None:
        return "final before the abort"
    if first.state is State.ABORTED:
        return "aborted between attempts" if race.journal else "aborted before the claim"
    return f"aborted while it ran: {race.final.state}"


@pytest.mark.timeout(240)
def test_no_final_state_changes_and_no_aborted_task_starts(racing: Deployment) -> None:
    seed = random.randrange(10**9)
    print("seed", seed)
    racer = Racer(racing, seed)
    racer.run()
    by_id = {race.final.id: race for race in racer.races}
    for entry in racing.journal.entries():
        if entry.task_id in by_id:
            by_id[entry.task_id].journal.append(entry)
    for race in racer.races:
        check_history(race)
        check_answers(race)
    outcomes = Counter(map(outcome, racer.races))
    print(outcomes)
    assert outcomes.total() == INTERLEAVINGS
    assert outcomes.keys() >= {
        "final before the abort",
        "aborted before the claim",
        "aborted between attempts",
        "aborted while it ran: ABORTED",
        "aborted while it ran: SUCCEEDED",
    }
