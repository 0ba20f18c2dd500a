"""What lists of tasks are read by: an index for each filter, and the labels' own table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FILTERS = ("root_id", "state", "task_type", "queue")


def upgrade() -> None:
    for column in FILTERS:
        op.create_index(
            f"ix_taskgate_tasks_by_{column}", "taskgate_tasks", [column, "created_at", "id"]
        )
    op.create_index("ix_taskgate_tasks_by_time", "taskgate_tasks", ["created_at", "id"])
    op.create_table(
        "taskgate_labels",
        sa.Column("task_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "name", name="pk_taskgate_labels"),
    )
    op.create_index(
        "ix_taskgate_labels_by_value", "taskgate_labels", ["name", "value", "created_at", "task_id"]
    )


def downgrade() -> None:
    op.drop_table("taskgate_labels")
    for name in (*FILTERS, "time"):
        op.drop_index(f"ix_taskgate_tasks_by_{name}", "taskgate_tasks")
