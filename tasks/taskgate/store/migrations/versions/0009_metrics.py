"""What metrics are made of: workers' counts, and who reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("taskgate_workers", sa.Column("counts", sa.Text()))
    op.create_table(
        "taskgate_reporters",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("server", sa.String(255), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_taskgate_reporters"),
    )


def downgrade() -> None:
    op.drop_table("taskgate_reporters")
    op.drop_column("taskgate_workers", "counts")
