"""Operations: work on many tasks, and which of them are still to be worked on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "taskgate_operations",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("selection", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("outcomes", sa.Text, nullable=False),
        sa.Column("failures", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("request_id", sa.String(128)),
        sa.Column("request_digest", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_operations"),
    )
    op.create_table(
        "taskgate_operation_tasks",
        sa.Column("operation_id", sa.String(255), nullable=False),
        sa.Column("task_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("operation_id", "task_id", name="pk_taskgate_operation_tasks"),
    )
    op.create_index("ix_taskgate_operations_finished_at", "taskgate_operations", ["finished_at"])
    op.create_index("ix_taskgate_operations_by_time", "taskgate_operations", ["created_at", "id"])
    _create_partial("ix", "next", "finished_at IS NULL", "next_at")
    _create_partial("uq", "request", "request_id IS NOT NULL", "created_by", "request_id")


def downgrade() -> None:
    op.drop_table("taskgate_operation_tasks")
    op.drop_table("taskgate_operations")


def _create_partial(kind: str, name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"{kind}_taskgate_operations_{name}",
        "taskgate_operations",
        [*columns],
        unique=kind == "uq",
        postgresql_where=where,
        sqlite_where=where,
    )
