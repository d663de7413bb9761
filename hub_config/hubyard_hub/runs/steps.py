"""Step runs, as they are kept: apart from their run, whose row has their counts.

They may be megabytes of text, so nothing reads them but what asks about one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from sqlalchemy import select, update

from hubyard.contract.run import CellStatus, StepRecord
from hubyard_hub.store import insert_once
from hubyard_hub.store.tables import step_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_STEPS = TypeAdapter(tuple[StepRecord, ...])
_DONE = {CellStatus.SUCCEEDED, CellStatus.FAILED}


def counts(steps: Sequence[StepRecord]) -> dict[str, int]:
    """The columns of a run that say how far it is."""
    cells = [cell for step in steps for cell in step.cells]
    return {
        "cells_total": len(cells),
        "cells_done": sum(cell.status in _DONE for cell in cells),
        "steps_total": len(steps),
        "steps_done": sum(step.status.is_final for step in steps),
    }


def steps_of(connection: Connection, run_id: str) -> tuple[StepRecord, ...]:
    """The step runs of a run; none where they are not known yet."""
    wanted = select(step_runs.c.steps).where(step_runs.c.run_id == run_id)
    kept = connection.scalar(wanted)
    return () if kept is None else _STEPS.validate_python(kept)


def keep_steps(
    connection: Connection, run_id: str, steps: Sequence[StepRecord]
) -> None:
    """Keep the step runs of a run in the place of those that are kept."""
    said = {"steps": _STEPS.dump_python(tuple(steps), mode="json")}
    mine = update(step_runs).where(step_runs.c.run_id == run_id)
    if connection.execute(mine.values(**said)).rowcount == 0:
        insert_once(connection, step_runs, {"run_id": run_id, **said})
