"""What becomes of fires that come late or overlap a run, and what was dropped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As the contract's defaults; SQLite asks for a value for the rows that are there.
    op.add_column(
        "schedules",
        sa.Column("overlap", sa.Text(), nullable=False, server_default="skip"),
    )
    op.add_column(
        "schedules",
        sa.Column("grace_s", sa.Integer(), nullable=False, server_default="3600"),
    )
    op.create_table(
        "drops",
        sa.Column("schedule_id", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", "first_at", name="pk_drops"),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedules.id"],
            name="fk_drops_schedule_id_schedules",
            ondelete="CASCADE",
        ),
    )
