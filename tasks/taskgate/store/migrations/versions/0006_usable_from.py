"""The tables say how old programs may be that work with them.

A later migration raises it where it takes away or changes what older programs use.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table(
        "taskgate_schema",
        sa.Column("usable_from", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("usable_from", name="pk_taskgate_schema"),
    )
    op.bulk_insert(made, [{"usable_from": revision}])


def downgrade() -> None:
    op.drop_table("taskgate_schema")
