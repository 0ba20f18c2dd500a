"""Queues and task types can be paused; what a pause holds is not due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "taskgate_pauses",
        sa.Column("key", sa.String(261), nullable=False),
        sa.Column("paused_at", TIME, nullable=False),
        sa.Column("paused_by", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("resumed_at", TIME),
        sa.PrimaryKeyConstraint("key", name="pk_taskgate_pauses"),
    )
    op.add_column("taskgate_outbox", sa.Column("held_by", sa.String(261)))
    _create_index("held", "held_by IS NOT NULL", "held_by", "publish_at")
    op.drop_index("ix_taskgate_outbox_due", "taskgate_outbox")
    _create_index("due", "published_at IS NULL AND held_by IS NULL", "publish_at")


def downgrade() -> None:
    op.drop_index("ix_taskgate_outbox_due", "taskgate_outbox")
    _create_index("due", "published_at IS NULL", "publish_at")
    op.drop_index("ix_taskgate_outbox_held", "taskgate_outbox")
    op.drop_column("taskgate_outbox", "held_by")
    op.drop_table("taskgate_pauses")


def _create_index(name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"ix_taskgate_outbox_{name}",
        "taskgate_outbox",
        [*columns],
        postgresql_where=where,
        sqlite_where=where,
    )
