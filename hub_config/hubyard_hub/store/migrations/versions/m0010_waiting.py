"""Runs that wait say what for, and let only so many others pass."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("waits_for", sa.Text()))
    op.add_column("runs", sa.Column("counted_since", sa.BigInteger()))
