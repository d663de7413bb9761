"""The record of a run, as it is kept: the newest one that the run has said.

Its last word says how it ended. Where a run dies without one, the ledger's end stands
in for it, and names the cell that the newest record has as running.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from sqlalchemy import select, update

from hubyard.contract.base import now
from hubyard.contract.entry import EndReason
from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    FailureReason,
    RunFailure,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Status, Target
from hubyard_hub.notices.tell import move_failed_cell, tell_end
from hubyard_hub.pipelines import cache
from hubyard_hub.store import tables
from hubyard_hub.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Update

    from hubyard.contract.run import RunRecord
    from hubyard_hub.wishes import Row

_runs = tables.runs
STEPS = TypeAdapter(tuple[StepRecord, ...])
_FAILURES = {
    EndReason.KILLED: FailureReason.KILLED,
    EndReason.OUT_OF_MEMORY: FailureReason.OUT_OF_MEMORY,
    EndReason.LIFETIME: FailureReason.LIFETIME,
    EndReason.BUDGET: FailureReason.BUDGET,
    EndReason.START_FAILED: FailureReason.START_FAILED,
}


def keep_record(connection: Connection, id_: str, record: RunRecord) -> None:
    """Keep a record. Its last word holds, also over what the ledger made of the end."""
    (row,) = all_rows(connection, select(_runs).where(_runs.c.id == id_))
    if record.revision <= row["revision"]:
        return
    if not record.status.is_active:
        _keep_last_word(connection, row, record)
    elif row["status"].is_active:
        values = _columns(row, record) | {"status": Status.RUNNING}
        connection.execute(_of(row).values(**values))
    elif row["status"] in {Status.FAILED, Status.STOPPED}:
        _close_again(connection, row, record)


def _keep_last_word(connection: Connection, row: Row, record: RunRecord) -> None:
    values = _columns(row, record)
    ends = {"status": record.status, "target": Target.STOPPED, "closed": False}
    connection.execute(_of(row).values(**values, **ends))
    cache.remember(connection, row, record.steps)
    tell_end(connection, row, record.status, values["failure"])


def _close_again(connection: Connection, row: Row, record: RunRecord) -> None:
    """A record was on its way while its run was closed: it knows better how far it was.

    How and when the run ended stays as it is.
    """
    failure = row["failure"] and RunFailure.model_validate(row["failure"])
    ends = _closed_columns(record.steps, failure, row["ended_at"] or now())
    connection.execute(_of(row).values(**_columns(row, record) | ends))
    if ends["failure"]:
        move_failed_cell(connection, row["id"], ends["failure"]["cell"])


def _of(row: Row) -> Update:
    return update(_runs).where(_runs.c.id == row["id"])


def _columns(row: Row, record: RunRecord) -> dict[str, Any]:
    said = record.model_dump(mode="json")
    return {
        "revision": record.revision,
        # Until its steps are known, those stand that it takes over.
        "steps": said["steps"] or row["steps"],
        "failure": said["failure"],
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "changed_at": now(),
    }


def after_end(row: Row, end: EndReason, message: str, ended_at: datetime) -> Row:
    """The columns of a run that ended without a last word of its own."""
    reason = _FAILURES.get(end, FailureReason.LOST)
    failure = None
    if end is not EndReason.STOPPED:
        failure = RunFailure(reason=reason, message=message)
    return _closed_columns(STEPS.validate_python(row["steps"]), failure, ended_at)


def _closed_columns(
    steps: Sequence[StepRecord], failure: RunFailure | None, ended_at: datetime
) -> dict[str, Any]:
    """The columns of a run that has ended; a failure names the cell that ran."""
    if failure is not None:
        died_in = next((s for s in steps if s.status is StepStatus.RUNNING), None)
        place = {"step": died_in and died_in.key, "cell": _running_cell(died_in)}
        failure = failure.model_copy(update=place)
    closed = tuple(_closed_step(step, ended_at, failure) for step in steps)
    return {
        "steps": STEPS.dump_python(closed, mode="json"),
        "failure": failure and failure.model_dump(mode="json"),
        "ended_at": ended_at,
    }


def _running_cell(step: StepRecord | None) -> int | None:
    cells = step.cells if step else ()
    return next((c.index for c in cells if c.status is CellStatus.RUNNING), None)


def _closed_step(
    step: StepRecord, ended_at: datetime, failure: RunFailure | None
) -> StepRecord:
    """A step that was running ends with its run; one that waited will not run."""
    if step.status is StepStatus.WAITING:
        return step.model_copy(update={"status": StepStatus.NOT_RUN})
    if step.status is not StepStatus.RUNNING:
        return step
    cells = tuple(_closed(cell, ended_at, failure is None) for cell in step.cells)
    status = StepStatus.STOPPED if failure is None else StepStatus.FAILED
    ends = {"status": status, "ended_at": ended_at, "failure": failure}
    return step.model_copy(update={**ends, "cells": cells})


def _closed(cell: CellRecord, ended_at: datetime, stopped: bool) -> CellRecord:  # noqa: FBT001  it is read by name where it is made
    if cell.status is CellStatus.RUNNING:
        status = CellStatus.NOT_RUN if stopped else CellStatus.FAILED
        return cell.model_copy(update={"status": status, "ended_at": ended_at})
    if cell.status is CellStatus.WAITING:
        return cell.model_copy(update={"status": CellStatus.NOT_RUN})
    return cell
