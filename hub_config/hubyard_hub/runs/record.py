"""The record of a run, as it is kept: the newest one that the run has said.

Its last word says how it ended. Where a run dies without one, the ledger's end stands
in for it, and names the cell that the newest record has as running.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from hubyard_hub.runs.steps import counts, keep_steps, steps_of
from hubyard_hub.store import tables
from hubyard_hub.wishes import all_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.run import RunRecord
    from hubyard_hub.wishes import Row

_runs = tables.runs
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
        _write(connection, row, record, {"status": Status.RUNNING})
    elif row["status"] in {Status.FAILED, Status.STOPPED}:
        _close_again(connection, row, record)


def _keep_last_word(connection: Connection, row: Row, record: RunRecord) -> None:
    ends = {"status": record.status, "target": Target.STOPPED, "closed": False}
    _write(connection, row, record, ends)
    cache.remember(connection, row, record.steps)
    failure = record.failure and record.failure.model_dump(mode="json")
    tell_end(connection, row, record.status, failure)


def _close_again(connection: Connection, row: Row, record: RunRecord) -> None:
    """A record was on its way while its run was closed: it knows better how far it was.

    How and when the run ended stays as it is.
    """
    failure = row["failure"] and RunFailure.model_validate(row["failure"])
    steps = record.steps or steps_of(connection, row["id"])
    closed = close(steps, failure, row["ended_at"] or now())
    kept = record.model_copy(update={"steps": closed.steps})
    _write(connection, row, kept, closed.columns)
    if closed.failure is not None:
        move_failed_cell(connection, row["id"], closed.failure.cell)


def _write(
    connection: Connection, row: Row, record: RunRecord, ends: dict[str, Any]
) -> None:
    values: dict[str, Any] = {
        "revision": record.revision,
        "failure": record.failure and record.failure.model_dump(mode="json"),
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "changed_at": now(),
    }
    if record.steps:  # until they are known, those stand that it takes over
        values |= counts(record.steps)
        keep_steps(connection, row["id"], record.steps)
    mine = update(_runs).where(_runs.c.id == row["id"])
    connection.execute(mine.values(**values | ends))


@dataclass(frozen=True)
class Closed:
    """How a run stands that ended without a last word of its own."""

    steps: tuple[StepRecord, ...]
    failure: RunFailure | None
    ended_at: datetime

    @property
    def columns(self) -> dict[str, Any]:
        """What its row says of this."""
        return {
            **counts(self.steps),
            "failure": self.failure and self.failure.model_dump(mode="json"),
            "ended_at": self.ended_at,
        }


def after_end(
    connection: Connection, row: Row, end: EndReason, message: str, ended_at: datetime
) -> Closed:
    """A run as the ledger's end leaves it."""
    reason = _FAILURES.get(end, FailureReason.LOST)
    failure = None
    if end is not EndReason.STOPPED:
        failure = RunFailure(reason=reason, message=message)
    return close(steps_of(connection, row["id"]), failure, ended_at)


def close(
    steps: Sequence[StepRecord], failure: RunFailure | None, ended_at: datetime
) -> Closed:
    """Steps that have ended with their run; a failure names the cell that ran."""
    if failure is not None:
        died_in = next((s for s in steps if s.status is StepStatus.RUNNING), None)
        place = {"step": died_in and died_in.key, "cell": _running_cell(died_in)}
        failure = failure.model_copy(update=place)
    closed = tuple(_closed_step(step, ended_at, failure) for step in steps)
    return Closed(closed, failure, ended_at)


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
