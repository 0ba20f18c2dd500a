"""What must hold whatever breaks: judged from the journal, the record and its history.

The journal is what tasks wrote outside the database when they ran, in the order in which it
happened. The history is what the database wrote down at each change (`support.history`).

I1  Every acknowledged Submit reaches a final state in time.
I2  An attempt ends at most once, and a final state never changes.
I3  Two runs of a task overlap only after the lease of the first one's worker has ended.
I4  No attempt starts that is older than the record's.
I5  A Submit answers or fails by its deadline, and repeating it with its request id is safe.
I6  A task that was aborted before a claim does not start.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select

from support import history
from support.deployment import Deployment
from support.history import Change
from support.journal import Entry
from support.traffic import DEADLINE, Submission
from taskgate.store import queries
from taskgate.store.errors import StoreUnavailable
from taskgate.store.lifecycle import ACTIVE, FINAL, WAITING, Outcome, State
from taskgate.store.record import Task
from taskgate.store.tables import tasks as task_table
from taskgate.store.tables import workers as worker_table

START = "start"
ENDS = frozenset({"end", "saw-abort"})

LOOK_SECONDS = 0.1

DEADLINE_MARGIN = 5.0
"""How late a client may notice its deadline on a busy machine, in seconds."""


@dataclass(frozen=True)
class Evidence:
    """All that is known about a deployment's tasks."""

    tasks: dict[str, Task]
    history: dict[str, list[Change]]
    journal: dict[str, list[Entry]]
    ended_leases: frozenset[str]
    """The workers that were given up for dead."""

    @property
    def run_twice(self) -> int:
        """How many tasks ran more than once, whole or in part."""
        starts = [sum(e.word == START for e in entries) for entries in self.journal.values()]
        return sum(number > 1 for number in starts)

    @property
    def lost_attempts(self) -> int:
        """How many attempts ended because their worker was given up."""
        return sum(a.outcome is Outcome.LOST for t in self.tasks.values() for a in t.past_attempts)

    @property
    def states(self) -> Counter[State]:
        """How many tasks ended how."""
        return Counter(task.state for task in self.tasks.values())


def wait_until_final(deployment: Deployment, task_ids: Iterable[str], timeout: float) -> None:
    """I1: return once all are final; an AssertionError shows some that are not."""
    wanted = set(task_ids)
    deadline = time.monotonic() + timeout
    while unfinished := wanted & _unfinished_ids(deployment, wanted):
        if time.monotonic() > deadline:
            raise AssertionError(
                f"I1: {len(unfinished)} of {len(wanted)} are not final after {timeout} s, "
                f"such as {_some(deployment, unfinished)}"
            )
        time.sleep(LOOK_SECONDS)


def _unfinished_ids(deployment: Deployment, if_unknown: set[str]) -> set[str]:
    try:
        with deployment.database.read() as tx:
            unfinished = select(task_table.c.id).where(task_table.c.state.not_in(sorted(FINAL)))
            return set(tx.execute(unfinished).scalars())
    except StoreUnavailable:
        return if_unknown


def _some(deployment: Deployment, task_ids: set[str]) -> list[Task]:
    with deployment.database.read() as tx:
        return list(queries.get_many(tx, sorted(task_ids)[:3]).values())


def check(deployment: Deployment, submissions: Sequence[Submission] = ()) -> Evidence:
    """Check everything that happened; every task on record must be final.

    Raises:
        AssertionError: an invariant does not hold; it says which, and for which task.
    """
    evidence = gather(deployment)
    check_all_final(evidence, submissions)
    check_lawful(evidence)
    check_runs(evidence)
    check_submits(submissions)
    return evidence


def gather(deployment: Deployment) -> Evidence:
    """Read everything; the processes may go on."""
    with deployment.database.read() as tx:
        ids = list(tx.execute(select(task_table.c.id)).scalars())
        records = queries.get_many(tx, ids)
        ended = tx.execute(select(worker_table.c.id).where(worker_table.c.lost_at.is_not(None)))
        ended_leases = frozenset(ended.scalars())
    journal: dict[str, list[Entry]] = defaultdict(list)
    for entry in deployment.journal.entries():
        journal[entry.task_id].append(entry)
    return Evidence(records, history.changes(deployment.database), dict(journal), ended_leases)


def check_all_final(evidence: Evidence, submissions: Sequence[Submission]) -> None:
    missing = {submission.task_id for submission in submissions} - set(evidence.tasks)
    assert not missing, f"I1: acknowledged, and not on record: {missing}"
    unfinished = [task for task in evidence.tasks.values() if not task.is_final]
    assert not unfinished, f"I1: {len(unfinished)} are not final, such as {unfinished[0]}"


def check_lawful(evidence: Evidence) -> None:
    for task_id, changes in evidence.history.items():
        history.assert_lawful(changes)
        ends = [c.attempt for c in changes if c.was in ACTIVE and c.became not in ACTIVE]
        assert len(set(ends)) == len(ends), f"I2: {task_id} ended an attempt twice: {changes}"
        assert not any(c.was in FINAL for c in changes), f"I2: {task_id} left the end: {changes}"


def check_runs(evidence: Evidence) -> None:
    for task_id, entries in evidence.journal.items():
        task, changes = evidence.tasks[task_id], evidence.history.get(task_id, [])
        starts = [entry for entry in entries if entry.word == START]
        _check_overlaps(evidence, task, entries)
        _check_starts(evidence, task, starts, changes)
        _check_aborts(task_id, starts, changes)


def _check_overlaps(evidence: Evidence, task: Task, entries: list[Entry]) -> None:
    running: list[int] = []
    for entry in entries:
        if entry.word == START:
            for attempt in running:
                # It may be dead; if it is not, it was rightly given up.
                assert attempt != entry.attempt, f"I3: attempt {attempt} ran twice: {entries}"
                _check_given_up(evidence, task, attempt, entries)
            running.append(entry.attempt)
        elif entry.word in ENDS and entry.attempt in running:
            running.remove(entry.attempt)


def _check_given_up(evidence: Evidence, task: Task, number: int, entries: list[Entry]) -> None:
    came_back = any(entry.attempt == number and entry.word in ENDS for entry in entries)
    if came_back:
        assert _lease_ended(evidence, task, number), f"I3: {task.id} overlapped itself: {entries}"


def _lease_ended(evidence: Evidence, task: Task, number: int) -> bool:
    worker = next((a.worker for a in task.past_attempts if a.number == number), None)
    return worker in evidence.ended_leases


def _check_starts(
    evidence: Evidence, task: Task, starts: list[Entry], changes: list[Change]
) -> None:
    claimed = {c.attempt for c in changes if c.was is State.QUEUED and c.became is State.RUNNING}
    numbers = [entry.attempt for entry in starts]
    assert len(set(numbers)) == len(numbers), f"I4: {task.id} started an attempt twice: {starts}"
    for number in numbers:
        assert number in claimed, f"I4: {task.id} started unclaimed attempt {number}: {changes}"
    for earlier, later in pairwise(numbers):
        # Frozen between claim and start, a worker cannot know that it was given up meanwhile.
        assert earlier < later or _lease_ended(evidence, task, later), f"I4: {task.id}: {starts}"


def _check_aborts(task_id: str, starts: list[Entry], changes: list[Change]) -> None:
    for change in changes:
        if change.was in WAITING and change.became is State.ABORTED:
            late = [entry for entry in starts if entry.attempt >= change.attempt]
            assert not late, f"I6: {task_id} was aborted and started: {late}"


def check_submits(submissions: Sequence[Submission]) -> None:
    ids = [submission.task_id for submission in submissions]
    assert len(set(ids)) == len(ids), "I5: two request ids were given one task"
    slow = [s for s in submissions if s.longest_call > DEADLINE + DEADLINE_MARGIN]
    assert not slow, f"I5: neither answered nor failed by the deadline: {slow}"
