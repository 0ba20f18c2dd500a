"""A task can keep others of its type and key away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HOLDS_KEY = (
    "unique_key IS NOT NULL AND (unique_ttl IS NOT NULL"
    " OR (unique_until = 'END' AND"
    " state IN ('ABORTING', 'QUEUED', 'RETRYING', 'RUNNING', 'SCHEDULED'))"
    " OR (state IN ('QUEUED', 'SCHEDULED') AND attempt = 1))"
)


def upgrade() -> None:
    op.add_column("taskgate_tasks", sa.Column("unique_key", sa.String(255)))
    op.add_column("taskgate_tasks", sa.Column("unique_until", sa.String(16)))
    op.add_column("taskgate_tasks", sa.Column("unique_ttl", sa.Float))
    op.create_index(
        "uq_taskgate_tasks_unique",
        "taskgate_tasks",
        ["task_type", "unique_key"],
        unique=True,
        postgresql_where=sa.text(HOLDS_KEY),
        sqlite_where=sa.text(HOLDS_KEY),
    )


def downgrade() -> None:
    op.drop_index("uq_taskgate_tasks_unique", "taskgate_tasks")
    for column in ("unique_ttl", "unique_until", "unique_key"):
        op.drop_column("taskgate_tasks", column)
