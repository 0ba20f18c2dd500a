"""Events: calls, where submissions came from, and when past attempts ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "taskgate_calls",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_id", sa.String(255), nullable=False),
        sa.Column("task_type", sa.String(255), nullable=False),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("call", sa.String(255), nullable=False),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("peer", sa.String(255), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_calls"),
    )
    op.create_index("ix_taskgate_calls_by_time", "taskgate_calls", ["called_at", "task_id"])
    op.create_index("ix_taskgate_calls_task_id", "taskgate_calls", ["task_id"])
    op.create_index("ix_taskgate_attempts_ended_at", "taskgate_attempts", ["ended_at"])
    op.add_column("taskgate_tasks", sa.Column("submitted_from", sa.String(255)))


def downgrade() -> None:
    op.drop_column("taskgate_tasks", "submitted_from")
    op.drop_index("ix_taskgate_attempts_ended_at", "taskgate_attempts")
    op.drop_table("taskgate_calls")
