"""Works on operations: a part at a time, so that others have their turn in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from taskgate.server.requests import arguments
from taskgate.server.requests.admission import retry_of
from taskgate.server.requests.arguments import NotJson
from taskgate.store import operations, outbox, queries, submission, sweeping, transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import TaskAlreadyFinal, TaskNotFinal, TaskNotFound, UniqueKeyHeld
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.operations import Kind, Operation, TaskOutcome
from taskgate.store.record import NewTask
from taskgate.tasks.background.loop import Loop
from taskgate.v1.reasons import Reason

MOST_TASKS = 200
"""In one transaction."""

PARTS_PER_SECOND = 5
"""At least, where an operation may work on so few tasks a second."""

POLL_SECONDS = 1.0
"""How often a server looks for operations that others have recorded."""

FULL_SECONDS = 1.0
"""How long an operation waits for room in a queue."""

Outcomes = Mapping[str, TaskOutcome]


class OperationWorker:
    """Works on operations, in a thread of its own; one in each server."""

    def __init__(self, database: Database, most_queued: int) -> None:
        """``most_queued``: how many tasks may wait in a queue; any number if 0."""
        self._database = database
        self._most_queued = most_queued
        self._do: Mapping[str, Callable[[Connection, Operation, Sequence[str]], Outcomes]] = {
            Kind.ABORT: _abort,
            Kind.DELETE: _delete,
            Kind.RETRY: self._retry,
        }
        self.loop = Loop("operations", self._step)

    def _step(self) -> float:
        with self._database.read() as tx:
            until_due = operations.seconds_until_due(tx)
        if until_due is None:
            return POLL_SECONDS
        if until_due <= 0:
            with self._database.write() as tx:
                return 0.0 if self._work(tx) else POLL_SECONDS
        return min(until_due, POLL_SECONDS)

    def _work(self, tx: Connection) -> bool:
        """Do a part of an operation; False if others are at all of them."""
        operation = operations.take(tx)
        if operation is None:
            return False
        most = max(1, min(MOST_TASKS, int(operation.rate / PARTS_PER_SECOND)))
        task_ids = operations.next_tasks(tx, operation, most)
        outcomes = self._do[operation.kind](tx, operation, task_ids)
        if task_ids and not outcomes:
            operations.put_off(tx, operation, FULL_SECONDS)
            return True
        is_last = len(task_ids) < most and len(outcomes) == len(task_ids)
        operations.record(tx, operation, outcomes, is_last=is_last)
        return True

    def _retry(self, tx: Connection, operation: Operation, task_ids: Sequence[str]) -> Outcomes:
        """Submit tasks again, as far as there is room in their queues."""
        found = queries.get_many(tx, task_ids)
        outcomes: dict[str, TaskOutcome] = {}
        new_tasks: list[NewTask] = []
        room: dict[str, int] = {}
        for task_id in task_ids:
            task = found.get(task_id)
            if task is None:
                outcomes[task_id] = _missing(task_id)
            elif not task.is_final:
                outcomes[task_id] = _unfit(Reason.TASK_NOT_FINAL, TaskNotFinal(task_id, task.state))
            else:
                try:
                    text = arguments.recorded(task).to_json()
                except NotJson as exc:
                    outcomes[task_id] = _unfit(Reason.ARGUMENTS_INVALID, exc)
                    continue
                if task.queue not in room:
                    room[task.queue] = self._room(tx, task.queue)
                if room[task.queue] > 0:
                    room[task.queue] -= 1
                    new_tasks.append(retry_of(task, text, operation.created_by))
                    outcomes[task_id] = TaskOutcome("RETRIED")
        for new, outcome in zip(new_tasks, submission.submit(tx, new_tasks), strict=True):
            if isinstance(outcome, UniqueKeyHeld) and new.retry_of is not None:
                outcomes[new.retry_of] = _unfit(Reason.UNIQUE_KEY_HELD, outcome)
        return outcomes

    def _room(self, tx: Connection, queue: str) -> int:
        if not self._most_queued:
            return MOST_TASKS
        waiting = outbox.count(tx, queue, self._most_queued)
        return min(self._most_queued - waiting, MOST_TASKS)


def _abort(tx: Connection, operation: Operation, task_ids: Sequence[str]) -> Outcomes:
    states = transitions.abort_many(tx, task_ids, by=operation.created_by, reason=operation.reason)
    return {task_id: _aborted(task_id, states.get(task_id)) for task_id in task_ids}


def _aborted(task_id: str, state: State | None) -> TaskOutcome:
    if state is None:
        return _missing(task_id)
    if state in FINAL and state is not State.ABORTED:
        return _unfit(Reason.TASK_ALREADY_FINAL, TaskAlreadyFinal(task_id, state))
    return TaskOutcome(state)


def _delete(tx: Connection, _operation: Operation, task_ids: Sequence[str]) -> Outcomes:
    gone, staying = sweeping.delete_many(tx, task_ids)
    return {task_id: _deleted(task_id, gone, staying) for task_id in task_ids}


def _deleted(task_id: str, gone: set[str], staying: Mapping[str, State]) -> TaskOutcome:
    if task_id in gone:
        return TaskOutcome("DELETED")
    if task_id not in staying:
        return _missing(task_id)
    if staying[task_id] in FINAL:
        problem = f"a chord still waits for task {task_id}, or for what it returned"
        return TaskOutcome(Reason.TASK_NOT_FINAL, problem)
    return _unfit(Reason.TASK_NOT_FINAL, TaskNotFinal(task_id, staying[task_id]))


def _missing(task_id: str) -> TaskOutcome:
    return _unfit(Reason.TASK_NOT_FOUND, TaskNotFound(task_id))


def _unfit(reason: Reason, error: Exception) -> TaskOutcome:
    return TaskOutcome(reason, str(error))
