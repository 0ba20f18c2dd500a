"""Tasks in any state, made as the system makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, event, text, update

from taskgate.store import outbox, queries, submission, transitions
from taskgate.store.database import clock, schema
from taskgate.store.database.engine import Database
from taskgate.store.lifecycle import Reason, State
from taskgate.store.record import Failure, NewTask, Task, new_task_id
from taskgate.store.tables import metadata, tasks
from taskgate.store.tables import outbox as outbox_table

HOUR = timedelta(hours=1)
NOW = timedelta(0)
PAST = timedelta(minutes=-1)
WORKER = "worker@here"

FAILURE = Failure(
    reason=Reason.EXCEPTION, message="no", type="ValueError", module="builtins", traceback="…"
)


def upgraded(url: str) -> Database:
    """A database with the tables in it."""
    database = Database(url)
    schema.upgrade(database)
    return database


@contextmanager
def altered(database: Database, setting: str, value: str) -> Iterator[None]:
    """Meanwhile new sessions on PostgreSQL have another default, as a DBA would set it."""
    name = database.url.database
    administration = Database(database.url.render_as_string(hide_password=False))
    with administration.autocommit() as tx:
        tx.execute(text(f'ALTER DATABASE "{name}" SET {setting} = {value}'))
    database.close()
    yield
    with administration.autocommit() as tx:
        tx.execute(text(f'ALTER DATABASE "{name}" RESET {setting}'))
    administration.close()


def delete_everything(database: Database) -> None:
    with database.write() as tx:
        for table in metadata.sorted_tables:
            tx.execute(table.delete())


def new_task(**values: Any) -> NewTask:
    """A task to submit: `demo.add(1, 2)`, unless told otherwise."""
    defaults = {
        "id": new_task_id(),
        "task_type": "demo.add",
        "arguments": '{"args": [1, 2], "kwargs": {}}',
        "queue": "celery",
    }
    return NewTask(**{**defaults, **values})


def submit(tx: Connection, **values: Any) -> str:
    """Submit one task; returns its id."""
    [task] = submission.submit(tx, [new_task(**values)])
    assert isinstance(task, Task)
    return task.id


def submitted_in(tx: Connection, state: State, **values: Any) -> str:
    """Submit a task and bring it into a state; returns its id."""
    if state is State.SCHEDULED:
        return submit(tx, delay=HOUR, **values)
    task_id = submit(tx, **values)
    if state in {State.RUNNING, State.RETRYING, State.ABORTING, State.SUCCEEDED, State.FAILED}:
        assert transitions.claim(tx, task_id, 1, WORKER)
    match state:
        case State.RETRYING:
            assert transitions.back_off(tx, task_id, 1, FAILURE, delay=HOUR, retries=1)
        case State.ABORTING | State.ABORTED:
            transitions.request_abort(tx, task_id, by="someone", reason="because")
        case State.SUCCEEDED:
            assert transitions.succeed(tx, task_id, 1, "3")
        case State.FAILED:
            assert transitions.fail(tx, task_id, 1, FAILURE)
        case State.EXPIRED:
            make_overdue(tx, task_id)
            assert transitions.expire(tx, task_id)
        case _:
            pass
    assert queries.get(tx, task_id).state is state
    return task_id


def make_overdue(tx: Connection, task_id: str) -> None:
    """Have the task's time to start be over."""
    tx.execute(update(tasks).where(tasks.c.id == task_id).values(expires_at=clock.in_(PAST)))


def make_due(tx: Connection, task_id: str) -> None:
    """Have what the outbox holds of the task be due."""
    tx.execute(
        update(outbox_table)
        .where(outbox_table.c.task_id == task_id)
        .values(published_at=None, publish_at=clock.in_(PAST))
    )


def take(tx: Connection, task_id: str, limit: int = 1000) -> Task | None:
    """Take what is due, and say what was taken of one task."""
    taken = {task.id: task for task in outbox.take_due(tx, limit)}
    return taken.get(task_id)


def read(database: Database, task_id: str) -> Task:
    with database.read() as tx:
        return queries.get(tx, task_id)


@contextmanager
def recorded_statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are executed meanwhile, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def record(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", record)
