"""An outbox row lives until its task's claim; watermarks say how far the workers have claimed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_columns()
    _keep_what_is_published()
    op.drop_index("ix_taskgate_outbox_publish_at", "taskgate_outbox")
    unpublished = sa.text("published_at IS NULL")
    op.create_index(
        "ix_taskgate_outbox_due",
        "taskgate_outbox",
        ["publish_at"],
        postgresql_where=unpublished,
        sqlite_where=unpublished,
    )
    op.create_index(
        "ix_taskgate_outbox_unclaimed", "taskgate_outbox", ["queue", "priority", "published_at"]
    )
    op.create_table(
        "taskgate_watermarks",
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("claimed_until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("queue", "priority", name="pk_taskgate_watermarks"),
    )
    op.drop_index("ix_taskgate_tasks_queued", "taskgate_tasks")
    op.drop_column("taskgate_tasks", "queued_at")
    op.drop_column("taskgate_tasks", "redispatches")


def downgrade() -> None:
    op.add_column(
        "taskgate_tasks",
        sa.Column("redispatches", sa.Integer, nullable=False, server_default="0"),
    )
    op.add_column("taskgate_tasks", sa.Column("queued_at", TIME))
    queued = sa.text("state IN ('QUEUED')")
    op.create_index(
        "ix_taskgate_tasks_queued",
        "taskgate_tasks",
        ["queue", "queued_at"],
        postgresql_where=queued,
        sqlite_where=queued,
    )
    op.drop_table("taskgate_watermarks")
    op.drop_index("ix_taskgate_outbox_unclaimed", "taskgate_outbox")
    op.drop_index("ix_taskgate_outbox_due", "taskgate_outbox")
    for column in ("published_at", "priority", "queue"):
        op.drop_column("taskgate_outbox", column)
    op.create_index("ix_taskgate_outbox_publish_at", "taskgate_outbox", ["publish_at"])


def _add_columns() -> None:
    # The default is for the rows that are there; every statement names these columns.
    op.add_column(
        "taskgate_outbox",
        sa.Column("queue", sa.String(255), nullable=False, server_default=""),
    )
    op.add_column(
        "taskgate_outbox", sa.Column("priority", sa.Integer, nullable=False, server_default="4")
    )
    op.add_column("taskgate_outbox", sa.Column("published_at", TIME))


def _keep_what_is_published() -> None:
    """Queued tasks without a row were published and have not been claimed."""
    op.execute(
        "UPDATE taskgate_outbox SET"
        " queue = (SELECT queue FROM taskgate_tasks WHERE id = task_id),"
        " priority = (SELECT priority FROM taskgate_tasks WHERE id = task_id)"
        " WHERE EXISTS (SELECT 1 FROM taskgate_tasks WHERE id = task_id)"
    )
    op.execute(
        "INSERT INTO taskgate_outbox"
        " (task_id, attempt, publish_at, tries, queue, priority, published_at)"
        " SELECT id, attempt, created_at, 1, queue, priority, COALESCE(queued_at, created_at)"
        " FROM taskgate_tasks WHERE state = 'QUEUED'"
        " AND id NOT IN (SELECT task_id FROM taskgate_outbox)"
    )
