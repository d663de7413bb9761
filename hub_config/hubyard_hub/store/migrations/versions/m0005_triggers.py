"""What wakes a schedule beside a cron, and who has called its webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("trigger", "seen", "secret_hash"):
        op.add_column("schedules", sa.Column(name, sa.Text(), nullable=True))
    op.create_table(
        "hook_calls",
        sa.Column("schedule_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("called_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", "key", name="pk_hook_calls"),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name="fk_hook_calls_schedule_id_schedules",
            ondelete="CASCADE",
        ),
    )
