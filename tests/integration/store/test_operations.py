"""Operations: their tasks are those of one moment, each is worked on once, by one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from support.records import submit, submitted_in
from taskgate.store import operations, sweeping, transitions
from taskgate.store.database.engine import Database
from taskgate.store.errors import OperationNotFound, RequestIdReused, TooManyTasks
from taskgate.store.lifecycle import FINAL, State
from taskgate.store.listing import Filter
from taskgate.store.operations import Kind, NewOperation, Operation, OperationState, TaskOutcome
from taskgate.store.record import new_task_id
from taskgate.store.tables import operation_tasks

DONE = TaskOutcome("ABORTED")


def new(**values: Any) -> NewOperation:
    defaults: dict[str, Any] = {
        "id": new_task_id(),
        "kind": Kind.ABORT,
        "selection": "",
        "reason": "because",
        "rate": 1e6,
        "created_by": "someone",
        "request_id": None,
        "request_digest": None,
    }
    return NewOperation(**{**defaults, **values})


def create(database: Database, wanted: Filter, **values: Any) -> Operation:
    with database.write() as tx:
        return operations.create(tx, new(**values), wanted)


def waiting(database: Database) -> int:
    with database.read() as tx:
        return tx.execute(select(func.count()).select_from(operation_tasks)).scalar_one()


def test_its_tasks_are_those_of_the_moment(database: Database) -> None:
    with database.write() as tx:
        before = {submit(tx, queue="a", labels={"team": "x"}) for _ in range(3)}
        submit(tx, queue="b", labels={"team": "x"})
        submit(tx, queue="a")
    wanted = Filter(queues=frozenset({"a"}), labels={"team": "x"})
    operation = create(database, wanted)
    with database.write() as tx:
        submit(tx, queue="a", labels={"team": "x"})
        assert set(operations.next_tasks(tx, operation, 10)) == before
    assert (operation.total, operation.done, operation.outcomes) == (3, 0, {})


def test_ids_may_be_thousands(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    ids = frozenset([task_id, *(f"unknown {n}" for n in range(9_999))])
    assert create(database, Filter(ids=ids)).total == 1


def test_a_part_is_done_once_and_counted(database: Database) -> None:
    with database.write() as tx:
        task_ids = sorted(submit(tx) for _ in range(5))
    create(database, Filter())
    with database.write() as tx:
        operation = operations.take(tx)
        assert operation is not None
        part = operations.next_tasks(tx, operation, 3)
        assert part == task_ids[:3]
        outcomes = {part[0]: DONE, part[1]: DONE, part[2]: TaskOutcome("TASK_NOT_FOUND", "gone")}
        operations.record(tx, operation, outcomes, is_last=False)
    with database.write() as tx:
        operation = operations.take(tx)
        assert operation is not None
        assert (operation.done, operation.total) == (3, 5)
        assert operation.outcomes == {"ABORTED": 2, "TASK_NOT_FOUND": 1}
        assert operations.failures_of(operation) == [(part[2], "TASK_NOT_FOUND", "gone")]
        rest = operations.next_tasks(tx, operation, 3)
        assert rest == task_ids[3:]
        operations.record(tx, operation, dict.fromkeys(rest, DONE), is_last=True)
        ended = operations.find(tx, operation.id)
        assert (ended.state, ended.done) == (OperationState.DONE, 5)
        assert ended.finished_at is not None
        assert operations.take(tx) is None
        assert operations.seconds_until_due(tx) is None
    assert waiting(database) == 0


def test_what_a_crash_breaks_off_is_done_again(database: Database) -> None:
    with database.write() as tx:
        task_id = submit(tx)
    operation = create(database, Filter())
    with pytest.raises(ZeroDivisionError):
        _work_and_crash(database, task_id)
    with database.write() as tx:
        assert operations.next_tasks(tx, operation, 10) == [task_id]
        assert operations.take(tx) == operation


def _work_and_crash(database: Database, task_id: str) -> None:
    with database.write() as tx:
        taken = operations.take(tx)
        assert taken is not None
        transitions.abort_many(tx, [task_id], by="", reason="")
        operations.record(tx, taken, {task_id: DONE}, is_last=True)
        1 / 0  # noqa: B018 - the crash


def test_one_server_works_on_it_at_a_time(postgres: Database) -> None:
    with postgres.write() as tx:
        submit(tx)
    first, second = create(postgres, Filter()), create(postgres, Filter())
    with postgres.write() as one, postgres.write() as other, postgres.write() as third:
        mine, yours = operations.take(one), operations.take(other)
        assert mine is not None
        assert yours is not None
        assert {mine.id, yours.id} == {first.id, second.id}
        assert operations.take(third) is None


def test_the_rate_says_when_to_go_on(database: Database) -> None:
    with database.write() as tx:
        task_ids = [submit(tx) for _ in range(10)]
    operation = create(database, Filter(), rate=0.01)
    with database.write() as tx:
        operations.record(tx, operation, {task_ids[0]: DONE}, is_last=False)
        assert operations.take(tx) is None
        assert operations.seconds_until_due(tx) == pytest.approx(100, abs=5)


def test_a_stopped_one_leaves_the_rest_alone(database: Database) -> None:
    with database.write() as tx:
        submit(tx)
    operation = create(database, Filter())
    with database.write() as tx:
        assert operations.stop(tx, operation.id).state == OperationState.STOPPED
        assert operations.take(tx) is None
        assert operations.stop(tx, operation.id).state == OperationState.STOPPED
        with pytest.raises(OperationNotFound):
            operations.stop(tx, "unknown")
    assert waiting(database) == 0


def test_a_request_id_stands_for_one_operation(database: Database) -> None:
    first = create(database, Filter(), request_id="r", request_digest="same")
    again = create(database, Filter(), request_id="r", request_digest="same")
    assert again == first
    assert create(database, Filter(), request_id="r", created_by="another").id != first.id
    with pytest.raises(RequestIdReused, match="for operation"):
        create(database, Filter(), request_id="r", request_digest="other")


def test_more_than_may_be_are_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_TASKS", 2)
    with database.write() as tx:
        for _ in range(3):
            submit(tx)
    with pytest.raises(TooManyTasks):
        create(database, Filter())
    with database.read() as tx:
        assert operations.page(tx, None, 10) == []
    assert waiting(database) == 0


def test_aborting_many_says_where_they_are(database: Database) -> None:
    with database.write() as tx:
        task_ids = {state: submitted_in(tx, state) for state in State}
        after = transitions.abort_many(
            tx, [*task_ids.values(), "unknown"], by="someone", reason="because"
        )
    assert "unknown" not in after
    for state, task_id in task_ids.items():
        running = state in {State.RUNNING, State.ABORTING}
        expected = state if state in FINAL else State.ABORTING if running else State.ABORTED
        assert after[task_id] is expected


def test_deleting_many_leaves_what_has_not_ended(database: Database) -> None:
    with database.write() as tx:
        task_ids = {state: submitted_in(tx, state) for state in State}
        gone, staying = sweeping.delete_many(tx, [*task_ids.values(), "unknown"])
    assert gone == {task_ids[state] for state in FINAL}
    assert staying == {task_ids[state]: state for state in set(State) - FINAL}
