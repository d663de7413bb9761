"""A record: what truly happened so far, as a small state machine over `RunRecord`.

begun -> planned -> (cell_started -> cell_succeeded)* -> succeeded | failed | stopped

Each step takes a record and gives the next one, with a higher revision. A step that
cannot follow raises ValueError: it would be a lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubyard.contract.run import CellRecord, CellStatus, RunFailure, RunRecord
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def begun(at: datetime) -> RunRecord:
    """The process is there; what it shall do is not known yet."""
    return RunRecord(revision=1, status=Status.STARTING, started_at=at)


def planned(record: RunRecord, cells: Iterable[int]) -> RunRecord:
    """The cells to run are known, by their index within the executed notebook."""
    _expect(record.status is Status.STARTING, "a run is planned once, at its start")
    waiting = tuple(CellRecord(index=i, status=CellStatus.WAITING) for i in cells)
    return _next(record, status=Status.RUNNING, cells=waiting)


def cell_started(record: RunRecord, index: int, at: datetime) -> RunRecord:
    """The kernel works on a cell."""
    _expect(not _running(record), "one cell runs at a time")
    return _change(
        record, index, CellStatus.WAITING, status=CellStatus.RUNNING, started_at=at
    )


def cell_succeeded(record: RunRecord, index: int, at: datetime) -> RunRecord:
    """The kernel has done a cell."""
    return _change(
        record, index, CellStatus.RUNNING, status=CellStatus.SUCCEEDED, ended_at=at
    )


def succeeded(record: RunRecord, at: datetime) -> RunRecord:
    """Every cell has succeeded."""
    done = all(cell.status is CellStatus.SUCCEEDED for cell in record.cells)
    _expect(record.status is Status.RUNNING and done, "not every cell has succeeded")
    return _next(record, status=Status.SUCCEEDED, ended_at=at)


def failed(record: RunRecord, at: datetime, failure: RunFailure) -> RunRecord:
    """The run is over because something broke."""
    return _ended(record, at, status=Status.FAILED, failure=failure)


def stopped(
    record: RunRecord, at: datetime, failure: RunFailure | None = None
) -> RunRecord:
    """The run is over because somebody, or its lifetime, has stopped it."""
    return _ended(record, at, status=Status.STOPPED, failure=failure)


def _ended(record: RunRecord, at: datetime, **changes: object) -> RunRecord:
    _expect(record.status.is_active, "a run ends once")
    cells = tuple(_closed(cell, at) for cell in record.cells)
    return _next(record, cells=cells, ended_at=at, **changes)


def _closed(cell: CellRecord, at: datetime) -> CellRecord:
    """A cell that was running has failed; one that waited will not run."""
    if cell.status is CellStatus.RUNNING:
        return cell.model_copy(update={"status": CellStatus.FAILED, "ended_at": at})
    if cell.status is CellStatus.WAITING:
        return cell.model_copy(update={"status": CellStatus.NOT_RUN})
    return cell


def _running(record: RunRecord) -> bool:
    return any(cell.status is CellStatus.RUNNING for cell in record.cells)


def _change(
    record: RunRecord, index: int, before: CellStatus, **changes: object
) -> RunRecord:
    _expect(record.status is Status.RUNNING, "the run is not running")
    found = [cell for cell in record.cells if cell.index == index]
    _expect(bool(found) and found[0].status is before, f"cell {index} is not {before}")
    cells = tuple(
        cell.model_copy(update=changes) if cell.index == index else cell
        for cell in record.cells
    )
    return _next(record, cells=cells)


def _next(record: RunRecord, **changes: Any) -> RunRecord:  # noqa: ANN401  model_copy's own
    update = {**changes, "revision": record.revision + 1}
    return record.model_copy(update=update)


def _expect(holds: bool, why_not: str) -> None:  # noqa: FBT001  it is a condition
    if not holds:
        raise ValueError(why_not)
