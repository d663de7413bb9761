"""Runs have steps, and each step its cells; a run may resume another one."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("cells", new_column_name="steps", existing_type=sa.Text())
        runs.add_column(sa.Column("resumes", sa.Text()))
        runs.add_column(sa.Column("only_step", sa.Text()))
    _put_cells_into_steps(op.get_bind())


def _put_cells_into_steps(connection: sa.Connection) -> None:
    """Runs so far were one notebook each: its cells become those of one step."""
    columns = ("id", "notebook", "status", "started_at", "ended_at", "steps")
    runs = sa.table("runs", *map(sa.column, columns))
    for row in connection.execute(sa.select(runs)).mappings().all():
        cells = json.loads(row["steps"])
        step = {"key": "notebook", "step": "notebook", "file": row["notebook"]}
        steps = [{**step, "status": _STATUS[row["status"]], "cells": cells}]
        moved = sa.update(runs).where(runs.c.id == row["id"])
        connection.execute(moved.values(steps=json.dumps(steps if cells else [])))


_STATUS = {
    "pending": "waiting",
    "starting": "running",
    "running": "running",
    "ready": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "stopped": "stopped",
}
