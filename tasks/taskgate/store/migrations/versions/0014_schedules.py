"""Schedules, and the tasks that they submit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LIVE = (
    "schedule IS NOT NULL AND state IN ('ABORTING', 'QUEUED', 'RETRYING', 'RUNNING', 'SCHEDULED')"
)


def upgrade() -> None:
    op.create_table(
        "taskgate_schedules",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("timing", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("overlap", sa.String(16), nullable=False),
        sa.Column("missed", sa.String(16), nullable=False),
        sa.Column("most_missed", sa.Integer, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("paused_at", TIME),
        sa.Column("paused_by", sa.String(255)),
        sa.Column("pause_reason", sa.Text),
        sa.Column("next_at", TIME),
        sa.Column("last_at", TIME),
        sa.Column("last_fired_at", TIME),
        sa.Column("last_outcome", sa.String(16)),
        sa.Column("last_task_id", sa.String(255)),
        sa.Column("last_message", sa.Text),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_schedules"),
    )
    _create_index("taskgate_schedules", "due", "next_at IS NOT NULL", "next_at")
    op.add_column("taskgate_tasks", sa.Column("schedule", sa.String(63)))
    by_schedule = ("schedule", "created_at", "id")
    _create_index("taskgate_tasks", "by_schedule", "schedule IS NOT NULL", *by_schedule)
    _create_index("taskgate_tasks", "of_schedule", LIVE, "schedule")


def downgrade() -> None:
    for name in ("of_schedule", "by_schedule"):
        op.drop_index(f"ix_taskgate_tasks_{name}", "taskgate_tasks")
    op.drop_column("taskgate_tasks", "schedule")
    op.drop_table("taskgate_schedules")


def _create_index(table: str, name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"ix_{table}_{name}", table, [*columns], postgresql_where=where, sqlite_where=where
    )
