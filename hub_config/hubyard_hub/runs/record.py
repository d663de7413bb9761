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
from hubyard.contract.run import FailureReason, RunFailure
from hubyard.contract.run_record import closed
from hubyard.contract.workload import Status, Target
from hubyard_hub.notices.tell import move_failed_cell, tell_end
from hubyard_hub.runs import cache
from hubyard_hub.runs.steps import counts, keep_steps, steps_of
from hubyard_hub.store import tables
from hubyard_hub.workloads.wishes import all_rows

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hubyard.contract.run import RunRecord, StepRecord
    from hubyard_hub.workloads.wishes import Row

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
    ended_at = row["ended_at"] or now()
    steps = record.steps or steps_of(connection, row["id"])
    now_known = Closed(*closed(steps, ended_at, _without_place(row)), ended_at)
    kept = record.model_copy(update={"steps": now_known.steps})
    _write(connection, row, kept, now_known.columns)
    if now_known.failure is not None:
        move_failed_cell(connection, row["id"], now_known.failure.cell)


def _without_place(row: Row) -> RunFailure | None:
    """Why a run has failed; where it was then, a newer record knows."""
    if row["failure"] is None:
        return None
    failure = RunFailure.model_validate(row["failure"])
    return failure.model_copy(update={"step": None, "cell": None})


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
    return Closed(*closed(steps_of(connection, row["id"]), ended_at, failure), ended_at)
