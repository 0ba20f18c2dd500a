"""The trace that a task belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("taskgate_tasks", sa.Column("trace", sa.String(64)))


def downgrade() -> None:
    op.drop_column("taskgate_tasks", "trace")
