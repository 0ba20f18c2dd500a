"""The record, its history, the outbox, workers, task types and groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_tasks()
    _create_indexes_of_tasks()
    _create_attempts()
    _create_outbox()
    _create_workers()
    _create_task_types()
    _create_groups()


def downgrade() -> None:
    for table in ("groups", "task_types", "workers", "outbox", "attempts", "tasks"):
        op.drop_table(f"taskgate_{table}")


def _create_tasks() -> None:
    op.create_table(
        "taskgate_tasks",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("task_type", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("worker_losses", sa.Integer, nullable=False),
        sa.Column("redispatches", sa.Integer, nullable=False),
        sa.Column("max_attempts", sa.Integer),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("queued_at", TIME),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("run_timeout", sa.Float),
        sa.Column("progress", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("abort_requested_at", TIME),
        sa.Column("abort_reason", sa.Text),
        sa.Column("abort_by", sa.String(255)),
        sa.Column("abort_force_at", TIME),
        sa.Column("retry_of", sa.String(255)),
        sa.Column("root_id", sa.String(255), nullable=False),
        sa.Column("worker", sa.String(255)),
        sa.Column("submitted_by", sa.String(255), nullable=False),
        sa.Column("request_id", sa.String(128)),
        sa.Column("request_digest", sa.String(64)),
        sa.Column("retry_policy", sa.Text),
        sa.Column("message", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_tasks"),
    )


def _create_indexes_of_tasks() -> None:
    _create_partial_index(
        "uq_taskgate_tasks_request",
        ["submitted_by", "request_id"],
        "request_id IS NOT NULL",
        unique=True,
    )
    _create_partial_index(
        "ix_taskgate_tasks_active", ["worker"], "state IN ('ABORTING', 'RUNNING')"
    )
    _create_partial_index("ix_taskgate_tasks_queued", ["queue", "queued_at"], "state IN ('QUEUED')")
    _create_partial_index(
        "ix_taskgate_tasks_expiring",
        ["expires_at"],
        "expires_at IS NOT NULL AND state IN ('QUEUED', 'RETRYING', 'SCHEDULED')",
    )
    _create_partial_index("ix_taskgate_tasks_finished", ["finished_at"], "finished_at IS NOT NULL")


def _create_partial_index(
    name: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(
        name,
        "taskgate_tasks",
        columns,
        unique=unique,
        postgresql_where=where,
        sqlite_where=where,
    )


def _create_attempts() -> None:
    op.create_table(
        "taskgate_attempts",
        sa.Column("task_id", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(255)),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("failure", sa.Text),
        sa.PrimaryKeyConstraint("task_id", "number", name="pk_taskgate_attempts"),
    )


def _create_outbox() -> None:
    op.create_table(
        "taskgate_outbox",
        sa.Column("task_id", sa.String(255), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("publish_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_taskgate_outbox"),
    )
    op.create_index("ix_taskgate_outbox_publish_at", "taskgate_outbox", ["publish_at"])


def _create_workers() -> None:
    op.create_table(
        "taskgate_workers",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("lease_expires_at", TIME, nullable=False),
        sa.Column("stopped_at", TIME),
        sa.Column("lost_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_workers"),
    )
    op.create_index(
        "ix_taskgate_workers_lease_expires_at", "taskgate_workers", ["lease_expires_at"]
    )


def _create_task_types() -> None:
    op.create_table(
        "taskgate_task_types",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("registered_at", TIME, nullable=False),
        sa.Column("registered_by", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_taskgate_task_types"),
    )


def _create_groups() -> None:
    op.create_table(
        "taskgate_groups",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_groups"),
    )
