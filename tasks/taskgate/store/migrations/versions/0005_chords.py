"""Chords have tables of their own: their parts are known, and are not deleted."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)

_GROUPS = sa.table(
    "taskgate_groups", sa.column("id"), sa.column("result"), sa.column("created_at", TIME)
)
_PREFIX = "chord:"


def upgrade() -> None:
    chords = op.create_table(
        "taskgate_chords",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("unlock_id", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_taskgate_chords"),
    )
    parts = op.create_table(
        "taskgate_chord_parts",
        sa.Column("chord_id", sa.String(255), nullable=False),
        sa.Column("task_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("chord_id", "task_id", name="pk_taskgate_chord_parts"),
    )
    op.create_index("ix_taskgate_chord_parts_task_id", "taskgate_chord_parts", ["task_id"])
    op.create_index("ix_taskgate_groups_created_at", "taskgate_groups", ["created_at"])
    _move_chords(chords, parts)


def downgrade() -> None:
    op.drop_index("ix_taskgate_groups_created_at", "taskgate_groups")
    op.drop_table("taskgate_chord_parts")
    op.drop_table("taskgate_chords")


def _move_chords(chords: sa.Table, parts: sa.Table) -> None:
    """Those that wait were kept among the saved groups."""
    is_chord = _GROUPS.c.id.startswith(_PREFIX)
    connection = op.get_bind()
    for row in connection.execute(sa.select(_GROUPS).where(is_chord)).all():
        chord_id, saved = row.id.removeprefix(_PREFIX), json.loads(row.result)
        op.bulk_insert(
            chords,
            [
                {
                    "id": chord_id,
                    "arguments": saved["arguments"],
                    "queue": saved["queue"],
                    "created_at": row.created_at,
                }
            ],
        )
        ids = dict.fromkeys(saved["parts"])
        op.bulk_insert(parts, [{"chord_id": chord_id, "task_id": part} for part in ids])
    connection.execute(sa.delete(_GROUPS).where(is_chord))
