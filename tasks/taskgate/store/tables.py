"""The tables. Their history is in ``migrations/``; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    bindparam,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from taskgate.store.database.columns import (
    Enumeration,
    JsonDataclass,
    JsonObject,
    LongText,
    Name,
    Seconds,
    UtcDateTime,
)
from taskgate.store.lifecycle import ACTIVE, FINAL, WAITING, Outcome, State
from taskgate.store.record import Failure, RetryPolicy, Timing

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID_LENGTH = 255
"""Celery lets programs choose ids; ours are UUIDs."""

NAME_LENGTH = 255
"""Of task types, queues and the like, in characters."""

SCHEDULE_ID_LENGTH = 63
"""With a tick's time it is a request id."""

KEY_LENGTH = NAME_LENGTH + len("queue:")
"""Of what is paused."""

LARGEST_NUMBER = 2**31 - 1
"""That a column of integers holds."""

tasks = Table(
    "taskgate_tasks",
    metadata,
    Column("id", Name(ID_LENGTH), primary_key=True),
    Column("task_type", Name(NAME_LENGTH), nullable=False),
    Column("state", Enumeration(State), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("queue", Name(NAME_LENGTH), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("arguments", LongText, nullable=False),
    Column("labels", JsonObject, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("worker_losses", Integer, nullable=False),
    Column("max_attempts", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("run_timeout", Seconds),
    Column("progress", LongText),
    Column("result", LongText),
    Column("failure", JsonDataclass(Failure)),
    Column("abort_requested_at", UtcDateTime),
    Column("abort_reason", LongText),
    Column("abort_by", Name(NAME_LENGTH)),
    Column("abort_force_at", UtcDateTime),
    Column("retry_of", Name(ID_LENGTH)),
    Column("root_id", Name(ID_LENGTH), nullable=False),
    Column("worker", Name(NAME_LENGTH)),
    Column("submitted_by", Name(NAME_LENGTH), nullable=False),
    Column("submitted_from", Name(NAME_LENGTH)),
    Column("unique_key", Name(NAME_LENGTH)),
    Column("unique_until", Name(16)),
    Column("unique_ttl", Seconds),
    Column("trace", Name(64)),
    Column("schedule", Name(SCHEDULE_ID_LENGTH)),
    Column("request_id", Name(128)),
    Column("request_digest", Name(64)),
    Column("retry_policy", JsonDataclass(RetryPolicy)),
    Column("message", LongText),
)
"""The record: one row a task. A column that ``record.Task`` has a field for is read into it."""


def _state_in(states: frozenset[State]) -> str:
    return "state IN ({})".format(", ".join(f"'{state}'" for state in sorted(states)))


def state_in(states: frozenset[State]) -> ColumnElement[bool]:
    """The condition as the partial indexes spell it: SQLite compares the text, not parameters."""
    spelled: BindParameter[list[State]] = bindparam(
        "states", sorted(states), expanding=True, literal_execute=True
    )
    return tasks.c.state.in_(spelled)


def _partial_index(name: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(
        name,
        *(tasks.c[column] for column in columns),
        postgresql_where=condition,
        sqlite_where=condition,
    )


Index(
    "uq_taskgate_tasks_request",
    tasks.c.submitted_by,
    tasks.c.request_id,
    unique=True,
    postgresql_where=text("request_id IS NOT NULL"),
    sqlite_where=text("request_id IS NOT NULL"),
)
HOLDS_KEY = (
    "unique_key IS NOT NULL AND (unique_ttl IS NOT NULL"
    f" OR (unique_until = 'END' AND {_state_in(frozenset(State) - FINAL)})"
    " OR (state IN ('QUEUED', 'SCHEDULED') AND attempt = 1))"
)
"""Whether a task holds its unique key. No transition makes it true: the key is taken by the insert
alone. After the end, a time to live is looked at by who wants the key (``submission.py``)."""

Index(
    "uq_taskgate_tasks_unique",
    tasks.c.task_type,
    tasks.c.unique_key,
    unique=True,
    postgresql_where=text(HOLDS_KEY),
    sqlite_where=text(HOLDS_KEY),
)
_partial_index("ix_taskgate_tasks_active", "worker", where=_state_in(ACTIVE))
_partial_index(
    "ix_taskgate_tasks_expiring",
    "expires_at",
    where=f"expires_at IS NOT NULL AND {_state_in(WAITING)}",
)
_partial_index("ix_taskgate_tasks_finished", "finished_at", where="finished_at IS NOT NULL")

_partial_index(
    "ix_taskgate_tasks_by_schedule", "schedule", "created_at", "id", where="schedule IS NOT NULL"
)
_partial_index(
    "ix_taskgate_tasks_of_schedule",
    "schedule",
    where=f"schedule IS NOT NULL AND {_state_in(frozenset(State) - FINAL)}",
)

for _filter in ("root_id", "state", "task_type", "queue"):
    Index(f"ix_taskgate_tasks_by_{_filter}", tasks.c[_filter], tasks.c.created_at, tasks.c.id)
Index("ix_taskgate_tasks_by_time", tasks.c.created_at, tasks.c.id)

labels = Table(
    "taskgate_labels",
    metadata,
    Column("task_id", Name(ID_LENGTH), primary_key=True),
    Column("name", Name(NAME_LENGTH), primary_key=True),
    Column("value", Name(NAME_LENGTH), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""The labels once more, to find tasks by: what a task has is in its record."""

Index(
    "ix_taskgate_labels_by_value",
    labels.c.name,
    labels.c.value,
    labels.c.created_at,
    labels.c.task_id,
)

attempts = Table(
    "taskgate_attempts",
    metadata,
    Column("task_id", Name(ID_LENGTH), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("worker", Name(NAME_LENGTH)),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime, nullable=False, index=True),
    Column("outcome", Enumeration(Outcome), nullable=False),
    Column("failure", JsonDataclass(Failure)),
)
"""The attempts before a task's current one; the current one is in the record itself."""

calls = Table(
    "taskgate_calls",
    metadata,
    Column("id", Name(36), primary_key=True),
    Column("called_at", UtcDateTime, nullable=False),
    Column("task_id", Name(ID_LENGTH), nullable=False, index=True),
    Column("task_type", Name(NAME_LENGTH), nullable=False),
    Column("queue", Name(NAME_LENGTH), nullable=False),
    Column("call", Name(NAME_LENGTH), nullable=False),
    Column("caller", Name(NAME_LENGTH), nullable=False),
    Column("peer", Name(NAME_LENGTH), nullable=False),
    Column("detail", LongText, nullable=False),
)
"""Calls that changed a task and that its record does not tell of: see ``events.py``."""

Index("ix_taskgate_calls_by_time", calls.c.called_at, calls.c.task_id)

logs = Table(
    "taskgate_logs",
    metadata,
    Column("task_id", Name(ID_LENGTH), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("dropped", Integer, nullable=False),
    Column("lines", LongText, nullable=False),
)
"""What attempts have logged: see ``logs.py``."""

outbox = Table(
    "taskgate_outbox",
    metadata,
    Column("task_id", Name(ID_LENGTH), primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("queue", Name(NAME_LENGTH), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("publish_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    Column("tries", Integer, nullable=False),
    Column("held_by", Name(KEY_LENGTH)),
)
"""Attempts that wait for a worker's claim: due later, paused, to be published, or published."""

_DUE = text("published_at IS NULL AND held_by IS NULL")
Index("ix_taskgate_outbox_due", outbox.c.publish_at, postgresql_where=_DUE, sqlite_where=_DUE)
_HELD = text("held_by IS NOT NULL")
Index(
    "ix_taskgate_outbox_held",
    outbox.c.held_by,
    outbox.c.publish_at,
    postgresql_where=_HELD,
    sqlite_where=_HELD,
)
Index("ix_taskgate_outbox_unclaimed", outbox.c.queue, outbox.c.priority, outbox.c.published_at)

pauses = Table(
    "taskgate_pauses",
    metadata,
    Column("key", Name(KEY_LENGTH), primary_key=True),
    Column("paused_at", UtcDateTime, nullable=False),
    Column("paused_by", Name(NAME_LENGTH), nullable=False),
    Column("reason", LongText, nullable=False),
    Column("resumed_at", UtcDateTime),
)
"""Queues and task types of which nothing new starts, ``queue:reports`` and ``type:demo.add``."""

operations = Table(
    "taskgate_operations",
    metadata,
    Column("id", Name(ID_LENGTH), primary_key=True),
    Column("kind", Name(16), nullable=False),
    Column("state", Name(16), nullable=False),
    Column("selection", LongText, nullable=False),
    Column("reason", LongText, nullable=False),
    Column("rate", Float, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("outcomes", JsonObject, nullable=False),
    Column("failures", LongText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Name(NAME_LENGTH), nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, index=True),
    Column("request_id", Name(128)),
    Column("request_digest", Name(64)),
)
"""Work on many tasks."""

Index("ix_taskgate_operations_by_time", operations.c.created_at, operations.c.id)
_UNFINISHED = text("finished_at IS NULL")
Index(
    "ix_taskgate_operations_next",
    operations.c.next_at,
    postgresql_where=_UNFINISHED,
    sqlite_where=_UNFINISHED,
)
Index(
    "uq_taskgate_operations_request",
    operations.c.created_by,
    operations.c.request_id,
    unique=True,
    postgresql_where=text("request_id IS NOT NULL"),
    sqlite_where=text("request_id IS NOT NULL"),
)

schedules = Table(
    "taskgate_schedules",
    metadata,
    Column("id", Name(SCHEDULE_ID_LENGTH), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("timing", JsonDataclass(Timing), nullable=False),
    Column("template", LongText, nullable=False),
    Column("overlap", Name(16), nullable=False),
    Column("missed", Name(16), nullable=False),
    Column("most_missed", Integer, nullable=False),
    Column("description", LongText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Name(NAME_LENGTH), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("paused_at", UtcDateTime),
    Column("paused_by", Name(NAME_LENGTH)),
    Column("pause_reason", LongText),
    Column("next_at", UtcDateTime),
    Column("last_at", UtcDateTime),
    Column("last_fired_at", UtcDateTime),
    Column("last_outcome", Name(16)),
    Column("last_task_id", Name(ID_LENGTH)),
    Column("last_message", LongText),
    Column("counts", JsonObject, nullable=False),
)
"""What submits tasks again and again: see ``schedules.py``."""

_TICKING = text("next_at IS NOT NULL")
Index(
    "ix_taskgate_schedules_due",
    schedules.c.next_at,
    postgresql_where=_TICKING,
    sqlite_where=_TICKING,
)

operation_tasks = Table(
    "taskgate_operation_tasks",
    metadata,
    Column("operation_id", Name(ID_LENGTH), primary_key=True),
    Column("task_id", Name(ID_LENGTH), primary_key=True),
)
"""The tasks that an operation has yet to work on."""

watermarks = Table(
    "taskgate_watermarks",
    metadata,
    Column("queue", Name(NAME_LENGTH), primary_key=True),
    Column("priority", Integer, primary_key=True, autoincrement=False),
    Column("claimed_until", UtcDateTime, nullable=False),
)
"""Up to when workers have claimed what was published, of each queue and priority."""

workers = Table(
    "taskgate_workers",
    metadata,
    Column("id", Name(NAME_LENGTH), primary_key=True),
    Column("details", JsonObject, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("lease_expires_at", UtcDateTime, nullable=False, index=True),
    Column("stopped_at", UtcDateTime),
    Column("lost_at", UtcDateTime),
    Column("counts", JsonObject),
)
"""Workers and their leases, which end when the worker stops or when it is found dead."""

task_types = Table(
    "taskgate_task_types",
    metadata,
    Column("name", Name(NAME_LENGTH), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("definition", JsonObject, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", Name(NAME_LENGTH), nullable=False),
)
"""The task types that workers have registered, so that servers need not import them."""

groups = Table(
    "taskgate_groups",
    metadata,
    Column("id", Name(ID_LENGTH), primary_key=True),
    Column("result", LongText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
"""Celery's saved group results."""

chords = Table(
    "taskgate_chords",
    metadata,
    Column("id", Name(ID_LENGTH), primary_key=True),
    Column("arguments", LongText, nullable=False),
    Column("queue", Name(255), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("unlock_id", Name(ID_LENGTH)),
)
"""Celery's chords, by the id of the header's group, and the task that starts the body."""

chord_parts = Table(
    "taskgate_chord_parts",
    metadata,
    Column("chord_id", Name(ID_LENGTH), primary_key=True),
    Column("task_id", Name(ID_LENGTH), primary_key=True, index=True),
)
"""The tasks that a chord's body waits for."""

mirrors = Table(
    "taskgate_mirrors",
    metadata,
    Column("name", Name(NAME_LENGTH), primary_key=True),
    Column("told_until", UtcDateTime, nullable=False),
)
"""How far each mirror of the record, a Celery result backend, has been told."""

reporters = Table(
    "taskgate_reporters",
    metadata,
    Column("name", Name(NAME_LENGTH), primary_key=True),
    Column("server", Name(NAME_LENGTH), nullable=False),
    Column("lease_expires_at", UtcDateTime, nullable=False),
)
"""Which server says what only one may say, so that nothing is counted twice: the metrics."""

schema = Table("taskgate_schema", metadata, Column("usable_from", Name(32), primary_key=True))
"""One row: the oldest revision of the tables whose programs can work with the present ones."""


def insert_into(tx: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say ON CONFLICT, which both databases spell alike."""
    if tx.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
