"""Step runs stand apart from their runs, which keep their counts.

A run's steps may be megabytes of text. In a table of their own nothing but a run's
detail reads them; in the same row SQLite reads past them to whatever comes after.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COUNTS = ("cells_total", "cells_done", "steps_total", "steps_done")
_CELL_DONE = {"succeeded", "failed"}
_STEP_OPEN = {"waiting", "running"}


def upgrade() -> None:
    op.create_table(
        "step_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_step_runs"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_step_runs_run_id_runs", ondelete="CASCADE"
        ),
    )
    for name in _COUNTS:
        column = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("runs", column)
    connection = op.get_bind()
    _count(connection)
    connection.execute(
        sa.text("INSERT INTO step_runs SELECT id, steps FROM runs WHERE steps <> '[]'")
    )
    # Not by a copy of the table: its end would take the rows that refer to it along.
    op.execute("ALTER TABLE runs DROP COLUMN steps")


def _count(connection: sa.Connection) -> None:
    """Fill the counts, one run after the other: all at once are too much to hold."""
    runs = sa.table("runs", *map(sa.column, ("id", "steps", *_COUNTS)))
    for id_ in connection.scalars(sa.select(runs.c.id)).all():
        mine = runs.c.id == id_
        steps = json.loads(
            connection.scalars(sa.select(runs.c.steps).where(mine)).one()
        )
        cells = [cell for step in steps for cell in step.get("cells", ())]
        counted = {
            "cells_total": len(cells),
            "cells_done": sum(cell["status"] in _CELL_DONE for cell in cells),
            "steps_total": len(steps),
            "steps_done": sum(step["status"] not in _STEP_OPEN for step in steps),
        }
        connection.execute(sa.update(runs).where(mine).values(**counted))
