"""A step run's record: what truly happened in it, as a small state machine.

waiting -> began -> planned -> (cell_started -> cell_succeeded)* -> succeeded | failed
        | stopped; failed -> again, for a retry; stopped -> cut_short
waiting -> left_out | taken_over | without_items

Each takes a record and gives the next one. One that cannot follow raises ValueError: it
would be a lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubyard.contract.run import (
    CellRecord,
    CellStatus,
    RunFailure,
    StepRecord,
    StepStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pydantic import JsonValue

    from hubyard.contract.pipeline import StepPlan


def waiting(
    plan: StepPlan, key: str | None = None, item: JsonValue = None
) -> StepRecord:
    """A step run that has not begun."""
    return StepRecord(
        key=key or plan.name,
        step=plan.name,
        item=item,
        file=plan.file,
        after=plan.after,
    )


def began(step: StepRecord, at: datetime, cache_key: str | None = None) -> StepRecord:
    """Its process is on its way."""
    _expect(step.status is StepStatus.WAITING, "a step begins once")
    return _next(
        step,
        status=StepStatus.RUNNING,
        attempt=step.attempt + 1,
        started_at=at,
        ended_at=None,
        cells=(),
        failure=None,
        cache_key=cache_key,
    )


def planned(step: StepRecord, cells: Iterable[int]) -> StepRecord:
    """The cells to run are known, by their index within the executed notebook."""
    _expect_running(step)
    _expect(not step.cells, "a step is planned once, at its start")
    waits = tuple(CellRecord(index=i, status=CellStatus.WAITING) for i in cells)
    return _next(step, cells=waits)


def cell_started(step: StepRecord, index: int, at: datetime) -> StepRecord:
    """The kernel works on a cell."""
    running = any(cell.status is CellStatus.RUNNING for cell in step.cells)
    _expect(not running, "one cell runs at a time")
    return _change(
        step, index, CellStatus.WAITING, status=CellStatus.RUNNING, started_at=at
    )


def cell_succeeded(
    step: StepRecord, index: int, at: datetime, output_bytes: int = 0
) -> StepRecord:
    """The kernel has done a cell."""
    return _change(
        step,
        index,
        CellStatus.RUNNING,
        status=CellStatus.SUCCEEDED,
        ended_at=at,
        output_bytes=output_bytes,
    )


def succeeded(step: StepRecord, at: datetime) -> StepRecord:
    """Every cell has succeeded."""
    done = all(cell.status is CellStatus.SUCCEEDED for cell in step.cells)
    _expect(done, "not every cell has succeeded")
    return _ended(step, at, status=StepStatus.SUCCEEDED)


def failed(step: StepRecord, at: datetime, failure: RunFailure) -> StepRecord:
    """It is over because something broke."""
    return _ended(step, at, status=StepStatus.FAILED, failure=failure)


def stopped(step: StepRecord, at: datetime) -> StepRecord:
    """It is over because somebody, or its lifetime, has stopped the run."""
    return _ended(step, at, status=StepStatus.STOPPED)


def closed(step: StepRecord, at: datetime, failure: RunFailure | None) -> StepRecord:
    """What ends with its run: one that was running; one that waited will not run."""
    if step.status is StepStatus.WAITING:
        return left_out(step, StepStatus.NOT_RUN)
    if step.status is not StepStatus.RUNNING:
        return step
    return failed(step, at, failure) if failure else stopped(step, at)


def cut_short(step: StepRecord, failure: RunFailure) -> StepRecord:
    """It was stopped though nobody had asked for it: that is a failure."""
    _expect(step.status is StepStatus.STOPPED, "only what was stopped is cut short")
    return _next(step, status=StepStatus.FAILED, failure=placed(failure, step))


def placed(failure: RunFailure, step: StepRecord) -> RunFailure:
    """A failure that names the step run in which it came, and the cell, if any."""
    unfinished = {CellStatus.RUNNING, CellStatus.FAILED}
    cells = (cell.index for cell in step.cells if cell.status in unfinished)
    place = {"step": step.key, "cell": next(cells, None)}
    return failure.model_copy(update=place)


def left_out(step: StepRecord, status: StepStatus) -> StepRecord:
    """It will not run: it is skipped, or what it comes after has failed."""
    _expect(step.status is StepStatus.WAITING, "only what waits is left out")
    return _next(step, status=status)


def without_items(step: StepRecord) -> StepRecord:
    """It fans out over nothing: all of it is done, and nothing was executed."""
    _expect(step.status is StepStatus.WAITING, "only what waits has nothing to do")
    return _next(step, status=StepStatus.SUCCEEDED)


def taken_over(step: StepRecord, earlier: StepRecord) -> StepRecord:
    """It has succeeded in an earlier run, which stands for it."""
    _expect(step.status is StepStatus.WAITING, "only what waits is taken over")
    own = {"key": step.key, "step": step.step, "item": step.item, "after": step.after}
    return _next(earlier, **own, reused=True)


def not_handed_over(step: StepRecord, failure: RunFailure) -> StepRecord:
    """It had done its work, and what it hands over cannot be kept."""
    _expect(step.status is StepStatus.SUCCEEDED, "only what has succeeded hands over")
    return _next(step, status=StepStatus.FAILED, failure=failure)


def again(step: StepRecord) -> StepRecord:
    """It failed and is tried once more; what broke stays on record until then."""
    _expect(step.status is StepStatus.FAILED, "only what failed is tried again")
    return _next(step, status=StepStatus.WAITING)


def _ended(step: StepRecord, at: datetime, **changes: object) -> StepRecord:
    _expect_running(step)
    cells = tuple(_closed(cell, at) for cell in step.cells)
    return _next(step, cells=cells, ended_at=at, **changes)


def _closed(cell: CellRecord, at: datetime) -> CellRecord:
    """A cell that was running did not succeed; one that waited will not run."""
    if cell.status is CellStatus.RUNNING:
        return cell.model_copy(update={"status": CellStatus.FAILED, "ended_at": at})
    if cell.status is CellStatus.WAITING:
        return cell.model_copy(update={"status": CellStatus.NOT_RUN})
    return cell


def _change(
    step: StepRecord, index: int, before: CellStatus, **changes: object
) -> StepRecord:
    _expect_running(step)
    found = [cell for cell in step.cells if cell.index == index]
    _expect(bool(found) and found[0].status is before, f"cell {index} is not {before}")
    cells = tuple(
        cell.model_copy(update=changes) if cell.index == index else cell
        for cell in step.cells
    )
    return _next(step, cells=cells)


def _next(step: StepRecord, /, **changes: Any) -> StepRecord:  # noqa: ANN401  model_copy's own
    return step.model_copy(update=changes)


def _expect_running(step: StepRecord) -> None:
    _expect(step.status is StepStatus.RUNNING, "the step is not running")


def _expect(holds: bool, why_not: str) -> None:  # noqa: FBT001  it is a condition
    if not holds:
        raise ValueError(why_not)
