"""Any history of a record, step by step beside the model: what Hypothesis tries to tell apart.

Each write may fail: before anything was done, or after its commit. As those who write do, it is
then made again, and may change nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, event, select, update

from support import model
from support.records import FAILURE, HOUR, NOW, PAST, delete_everything, make_due, make_overdue
from support.records import new_task as made
from taskgate.store import outbox, pauses, queries, submission, sweeping, transitions, workers
from taskgate.store.database import clock
from taskgate.store.database.engine import Database
from taskgate.store.errors import SubmissionRefused, TaskAlreadyFinal
from taskgate.store.lifecycle import Outcome, State
from taskgate.store.outbox import Subqueue
from taskgate.store.pauses import Kind, Target
from taskgate.store.record import NewTask
from taskgate.store.tables import outbox as outbox_table
from taskgate.store.tables import tasks as task_table
from taskgate.store.tables import workers as worker_table
from taskgate.store.transitions import Success

T = TypeVar("T")

LONG_AGO = -24 * HOUR
WORKERS = ("one", "two")
CELERY = Target(Kind.QUEUE, "celery")
STEPS = 30

End = Callable[[Connection, str, int], bool]

ENDS: dict[str, tuple[End, Callable[[model.Task, int], bool]]] = {
    "succeed": (
        lambda tx, task_id, attempt: transitions.succeed(tx, task_id, attempt, "3"),
        lambda task, attempt: task.end(attempt, State.SUCCEEDED),
    ),
    "succeed many": (
        lambda tx, task_id, attempt: bool(
            transitions.succeed_many(tx, [Success(task_id, attempt, "3", 0.0)])
        ),
        lambda task, attempt: task.end(attempt, State.SUCCEEDED),
    ),
    "fail": (
        lambda tx, task_id, attempt: transitions.fail(tx, task_id, attempt, FAILURE),
        lambda task, attempt: task.end(attempt, State.FAILED),
    ),
    "stop": (transitions.stop, lambda task, attempt: task.stop(attempt)),
    "give back": (
        transitions.give_back,
        lambda task, attempt: (
            task.go_on(attempt, State.QUEUED, Outcome.RETURNED, is_due=True) or task.stop(attempt)
        ),
    ),
    "retry later": (
        lambda tx, task_id, attempt: transitions.back_off(
            tx, task_id, attempt, FAILURE, delay=HOUR, retries=attempt
        ),
        lambda task, attempt: (
            task.go_on(attempt, State.RETRYING, Outcome.FAILED, is_due=False) or task.stop(attempt)
        ),
    ),
    "retry now": (
        lambda tx, task_id, attempt: transitions.back_off(
            tx, task_id, attempt, FAILURE, delay=NOW, retries=attempt
        ),
        lambda task, attempt: (
            task.go_on(attempt, State.RETRYING, Outcome.FAILED, is_due=True) or task.stop(attempt)
        ),
    ),
    "lose": (
        lambda tx, task_id, attempt: transitions.lose(
            tx, task_id, attempt, FAILURE, max_losses=model.MAX_LOSSES
        ),
        lambda task, attempt: task.lose(attempt),
    ),
}
"""What may be said of an attempt: to the record, and to the model."""

FATES = st.sampled_from(["done", "done", "done", "failed after", "failed before"])


class Failed(Exception):
    """The transaction was not committed."""


class Machine(RuleBasedStateMachine):
    """The steps, in any order. A subclass has the database."""

    database: Database
    tasks: Bundle[str] = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, model.Task] = {}
        self.new: dict[str, NewTask] = {}
        self.leases: dict[str, bool] = {}
        """Whether each worker's lease goes on."""
        self.names: dict[str, str] = {}
        self.paused = False
        """The queue of all tasks."""
        self.numbers = 0
        self.messages: list[tuple[str, int]] = []
        """All that was ever published: any may come, late or again."""

    def write(self, fate: str, function: Callable[[Connection], T]) -> T:
        """What the caller is told at last; by a write that may fail once."""
        if fate == "failed after":
            with self.database.write() as tx:
                function(tx)
        if fate == "failed before":
            with suppress(Failed), self.database.write() as tx:
                function(tx)
                raise Failed
        with self.database.write() as tx:
            return function(tx)

    @initialize(target=tasks)
    def begin(self) -> Any:
        """Two workers, a task that one of them runs, and one that waits."""
        delete_everything(self.database)
        for place in WORKERS:
            self._start_worker(place, "done")
        runs, waits = (
            self.submit(fate="done", delayed=False, published=True, retries=None) for _ in range(2)
        )
        self._claim([(runs, 1)], WORKERS[0], "done")
        return multiple(runs, waits)

    # Submitting.

    @rule(
        target=tasks,
        fate=FATES,
        delayed=st.booleans(),
        published=st.booleans(),
        retries=st.none() | tasks,
    )
    def submit_one(self, **options: Any) -> str:
        return self.submit(**options)

    def submit(self, fate: str, delayed: bool, published: bool, retries: str | None) -> str:
        if retries not in self.model or not self.model[retries].is_final:
            retries = None
        self.numbers += 1
        new = made(
            delay=HOUR if delayed else None,
            request_id=f"request {self.numbers}",
            request_digest="the same",
            retry_of=retries,
        )
        told = self.write(fate, lambda tx: submission.submit(tx, [new], published=published))
        assert _ids(told) == [new.id]
        row = model.Row(1, is_due=not delayed, published=published and not delayed)
        state = State.SCHEDULED if delayed else State.QUEUED
        self.model[new.id] = model.Task(state, row=row)
        self.new[new.id] = new
        if row.published:
            self.messages.append((new.id, 1))
        return new.id

    @rule(task_id=tasks, fate=FATES)
    def submit_again(self, task_id: str, fate: str) -> None:
        """With the same request id, as a client does that got no answer."""
        again = made(**{**_fields(self.new[task_id]), "id": None} | {"id": made().id})
        if task_id in self.model:
            told = self.write(fate, lambda tx: submission.submit(tx, [again]))
            assert _ids(told) == [task_id]

    # The broker, which may lose messages, and deliver them late and often.

    @rule(fate=FATES)
    def publish(self, fate: str) -> None:
        expected = {task_id for task_id, task in self.model.items() if task.publish()}
        taken = self.write(fate, lambda tx: outbox.take_due(tx, 100))
        if fate != "failed after":
            assert {task.id for task in taken} == expected
        self.messages.extend((task.id, task.attempt) for task in taken)

    @rule(task_id=tasks, fate=FATES)
    def broker_refuses(self, task_id: str, fate: str) -> None:
        """What was taken to be published is due again."""
        task = self.model.get(task_id)
        if task is None:
            return
        with self.database.read() as tx:
            taken = queries.get(tx, task_id)
        self.write(fate, lambda tx: outbox.release(tx, [taken]))
        if task.row is not None and task.state is State.QUEUED:
            task.row.published, task.row.is_due = False, True

    @rule(fate=FATES)
    def lost_messages_are_found(self, fate: str) -> None:
        """Long after they were published, in a queue that is empty."""
        with self.database.write() as tx:
            is_published = outbox_table.c.published_at.is_not(None)
            tx.execute(
                update(outbox_table).where(is_published).values(published_at=clock.in_(LONG_AGO))
            )
        celery = Subqueue("celery", 4)
        self.write(
            fate,
            lambda tx: outbox.republish_lost(tx, celery, queue_is_empty=True, limit=100),
        )
        for task in self.model.values():
            if task.row is not None and task.row.published:
                task.row.published, task.row.is_due = False, True

    # Workers.

    @rule(which=st.integers(0, 30), place=st.sampled_from(WORKERS), fate=FATES)
    def deliver(self, which: int, place: str, fate: str) -> None:
        """A message, perhaps not for the first time."""
        self._claim([self.messages[-1 - which % len(self.messages)]], place, fate)

    @rule(tasks_=st.lists(tasks, unique=True), place=st.sampled_from(WORKERS), fate=FATES)
    def deliver_many(self, tasks_: list[str], place: str, fate: str) -> None:
        wanted = [(t, self.model[t].attempt) for t in tasks_ if t in self.model]
        self._claim(wanted, place, fate)

    def _claim(self, wanted: list[tuple[str, int]], place: str, fate: str) -> None:
        worker = self.names[place]
        expected = {
            task_id
            for task_id, attempt in wanted
            if task_id in self.model
            and self.model[task_id].claim(
                attempt, worker, has_lease=self.leases[worker], paused=self.paused
            )
        }
        won = self.write(fate, lambda tx: transitions.claim_many(tx, wanted, worker))
        if fate != "failed after":
            assert set(won) == expected

    @rule(task_id=tasks, how=st.sampled_from(sorted(ENDS)), late=st.booleans(), fate=FATES)
    def end(self, task_id: str, how: str, late: bool, fate: str) -> None:
        """A worker says how an attempt ended; a late one, of an attempt before."""
        task = self.model.get(task_id)
        if task is None:
            return
        really, supposedly = ENDS[how]
        attempt = task.attempt - late
        expected = supposedly(task, attempt)
        told = self.write(fate, lambda tx: really(tx, task_id, attempt))
        if fate != "failed after":
            assert told == expected

    @rule(task_id=tasks, late=st.booleans())
    def report(self, task_id: str, late: bool) -> None:
        task = self.model.get(task_id)
        if task is not None:
            attempt = task.attempt - late
            expected = task.report(attempt)
            with self.database.write() as tx:
                assert transitions.report(tx, task_id, attempt, "{}") == expected

    @rule(place=st.sampled_from(WORKERS))
    def lease_runs_out(self, place: str) -> None:
        worker = self.names[place]
        with self.database.write() as tx:
            is_it = worker_table.c.id == worker
            tx.execute(update(worker_table).where(is_it).values(lease_expires_at=clock.in_(PAST)))

    @rule(place=st.sampled_from(WORKERS), fate=FATES)
    def restart(self, place: str, fate: str) -> None:
        """The worker stops, or was gone already, and another begins in its place."""
        worker = self.names[place]
        self.write(fate, lambda tx: workers.stop(tx, worker))
        self.leases[worker] = False
        self._start_worker(place, fate)

    def _start_worker(self, place: str, fate: str) -> None:
        worker = f"{place} {len(self.leases)}"
        self.write(fate, lambda tx: workers.start(tx, worker, {}, HOUR))
        self.names[place] = worker
        self.leases[worker] = True

    # Pauses.

    @rule(paused=st.booleans(), fate=FATES)
    def pause_or_resume(self, paused: bool, fate: str) -> None:
        if paused:
            self.write(fate, lambda tx: pauses.pause(tx, CELERY, by="someone", reason=""))
        else:
            self.write(fate, lambda tx: pauses.resume(tx, CELERY))
        self.paused = paused

    @rule(which=st.integers(0, 30), fate=FATES)
    def hold_what_came(self, which: int, fate: str) -> None:
        """What a worker does with a message whose claim was refused."""
        task_id, attempt = self.messages[-1 - which % len(self.messages)]
        task = self.model.get(task_id)
        expected = {task_id} if self.paused and task and task.hold(attempt) else set()
        told = self.write(fate, lambda tx: pauses.hold_claimed(tx, [(task_id, attempt)]))
        assert told == expected

    @rule(fate=FATES)
    def mind_pauses(self, fate: str) -> None:
        """What a dispatcher does before it publishes."""
        self.write(fate, lambda tx: pauses.release(tx, 100))
        self.write(fate, lambda tx: pauses.hold_due(tx, 100))
        for row in (task.row for task in self.model.values() if task.row is not None):
            if not row.published:
                row.held = self.paused and (row.held or row.is_due)

    # Programs, the sweeper, time.

    @rule(task_id=tasks, force=st.booleans(), fate=FATES)
    def abort(self, task_id: str, force: bool, fate: str) -> None:
        task = self.model.get(task_id)
        if task is None:
            return
        after = HOUR if force else None
        is_too_late = task.is_final and task.state is not State.ABORTED
        try:
            self.write(
                fate,
                lambda tx: transitions.request_abort(
                    tx, task_id, by="someone", reason="", force_after=after
                ),
            )
        except TaskAlreadyFinal:
            assert is_too_late
        else:
            assert not is_too_late
        task.abort(force=force)

    @rule(fate=FATES)
    def sweep(self, fate: str) -> None:
        """Leases that ran out end, and what their workers ran is put back."""
        self.write(fate, sweeping.end_lost_leases)
        with self.database.read() as tx:
            for worker in workers.list_all(tx):
                self.leases[worker.id] = worker.stopped_at is None and worker.lost_at is None
        with self.database.read() as tx:
            orphans = sweeping.orphans(tx, 100)
        assert {o.task_id for o in orphans} == {
            task_id
            for task_id, task in self.model.items()
            if task.state in (State.RUNNING, State.ABORTING) and not self.leases[task.worker or ""]
        }
        for orphan in orphans:
            self.write(fate, partial(_put_back, orphan))
            assert self.model[orphan.task_id].lose(orphan.attempt)

    @rule(fate=FATES)
    def expire(self, fate: str) -> None:
        self.write(fate, lambda tx: sweeping.expire_overdue(tx, 100))
        for task in self.model.values():
            task.expire()

    @rule(task_id=tasks)
    def becomes_due(self, task_id: str) -> None:
        task = self.model.get(task_id)
        if task is not None and task.row is not None and not task.row.published:
            with self.database.write() as tx:
                make_due(tx, task_id)
            task.row.is_due = True

    @rule(task_id=tasks)
    def becomes_overdue(self, task_id: str) -> None:
        if task_id in self.model:
            with self.database.write() as tx:
                make_overdue(tx, task_id)
            self.model[task_id].overdue = True

    @rule(fate=FATES)
    def retention(self, fate: str) -> None:
        """All that ended is old, and goes; nothing else does."""
        with self.database.write() as tx:
            is_final = task_table.c.finished_at.is_not(None)
            tx.execute(update(task_table).where(is_final).values(finished_at=clock.in_(LONG_AGO)))
        self.write(fate, lambda tx: sweeping.delete_final(tx, HOUR, 100))
        self.model = {task_id: t for task_id, t in self.model.items() if not t.is_final}

    # What must hold after each step.

    @invariant()
    def record_and_model_agree(self) -> None:
        with self.database.read() as tx:
            ids = list(tx.execute(select(task_table.c.id)).scalars())
            found = queries.get_many(tx, ids)
            is_due = outbox_table.c.publish_at <= clock.now()
            rows = {
                row.task_id: model.Row(
                    row.attempt,
                    bool(row.is_due),
                    row.published_at is not None,
                    row.held_by is not None,
                )
                for row in tx.execute(select(outbox_table, is_due.label("is_due")))
            }
        for row in rows.values():
            row.is_due = row.is_due or row.published
        seen = {
            task_id: model.Task(
                task.state,
                task.version,
                task.attempt,
                task.worker_losses,
                task.worker,
                self.model[task_id].overdue if task_id in self.model else False,
                task.abort_force_at is not None,
                rows.pop(task_id, None),
                [attempt.outcome for attempt in task.past_attempts if attempt.outcome],
            )
            for task_id, task in found.items()
        }
        assert seen == self.model
        assert not rows, "rows of no task"


def _put_back(orphan: sweeping.Orphan, tx: Connection) -> bool:
    return sweeping.put_back(tx, orphan, model.MAX_LOSSES)


def _fields(new: NewTask) -> dict[str, Any]:
    return {name: getattr(new, name) for name in NewTask.__dataclass_fields__}


def run(database: Database, examples: int, *, same: bool) -> None:
    """Try so many histories; ``same``: the same ones each time.

    Raises:
        AssertionError: record and model differ; the shortest history that shows it is printed.
    """
    if database.is_sqlite:
        event.listen(database.engine, "connect", _without_waiting_for_the_disk)
        database.engine.dispose()

    class MachineOf(Machine):
        pass

    MachineOf.database = database
    run_state_machine_as_test(
        MachineOf,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=same,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def _without_waiting_for_the_disk(connection: Any, _entry: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _ids(told: list[submission.Outcome]) -> list[str]:
    return [repr(one) if isinstance(one, SubmissionRefused) else one.id for one in told]
