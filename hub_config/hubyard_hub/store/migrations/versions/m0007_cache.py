"""Step runs that later runs with the same cache key take over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column("fresh", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "cached_steps",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("cache_key", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "cache_key", name="pk_cached_steps"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
            name="fk_cached_steps_run_id_runs",
            ondelete="CASCADE",
        ),
    )
