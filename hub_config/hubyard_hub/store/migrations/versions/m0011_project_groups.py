"""The hub group to which a project with a budget belongs.

A budget that was set before belongs to the group of its project's name.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("budgets", sa.Column("group_name", sa.Text(), nullable=True))
