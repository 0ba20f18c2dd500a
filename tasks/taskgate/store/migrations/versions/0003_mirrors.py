"""How far mirrors of the record have been told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "taskgate_mirrors",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("told_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_taskgate_mirrors"),
    )


def downgrade() -> None:
    op.drop_table("taskgate_mirrors")
