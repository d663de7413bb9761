"""A run's record: what truly happened so far, as a small state machine.

begun -> planned -> (put | expanded)* -> succeeded | failed | stopped

Each takes a record and gives the next one, with a higher revision. One that cannot
follow raises ValueError: it would be a lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubyard.contract import step_run
from hubyard.contract.run import (
    MOST_CELLS,
    RunFailure,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

_GOOD = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}
_WORDS_BYTES = 2**20
"""Of all failures together; of the others, the beginning of the message is told."""
_BEGINNING = 100


def begun(at: datetime) -> RunRecord:
    """The process is there; what it shall do is not known yet."""
    return RunRecord(revision=1, status=Status.STARTING, started_at=at)


def planned(record: RunRecord, steps: Iterable[StepRecord]) -> RunRecord:
    """The steps are known."""
    _expect(record.status is Status.STARTING, "a run is planned once, at its start")
    return _next(record, status=Status.RUNNING, steps=tuple(steps))


def put(record: RunRecord, now: StepRecord) -> RunRecord:
    """Something has become of a step run."""
    return expanded(record, now.key, [now])


def expanded(record: RunRecord, key: str, runs: Iterable[StepRecord]) -> RunRecord:
    """A step has fanned out: its step runs stand where it stood alone."""
    _expect(record.status is Status.RUNNING, "the run is not running")
    keys = [each.key for each in record.steps]
    _expect(key in keys, f"there is no step {key}")
    at = keys.index(key)
    steps = (*record.steps[:at], *runs, *record.steps[at + 1 :])
    return _next(record, steps=steps)


def succeeded(record: RunRecord, at: datetime) -> RunRecord:
    """Every step has succeeded, or was skipped as the pipeline says."""
    done = all(each.status in _GOOD for each in record.steps)
    _expect(record.status is Status.RUNNING and done, "not every step has succeeded")
    return _next(record, status=Status.SUCCEEDED, ended_at=at)


def failed(record: RunRecord, at: datetime, failure: RunFailure) -> RunRecord:
    """The run is over because something broke."""
    return _ended(record, at, Status.FAILED, failure)


def stopped(record: RunRecord, at: datetime) -> RunRecord:
    """The run is over because somebody has stopped it."""
    return _ended(record, at, Status.STOPPED)


def closed(
    steps: Sequence[StepRecord], at: datetime, failure: RunFailure | None
) -> tuple[tuple[StepRecord, ...], RunFailure | None]:
    """Step runs that end with their run, and the failure with the place where it broke.

    Args:
        steps: of the run.
        at: when the run has ended.
        failure: why it has failed; None: somebody has stopped it. One that names no
            step run is given the first that was running, and its cell.
    """
    if failure is not None and failure.step is None:
        running = next((s for s in steps if s.status is StepStatus.RUNNING), None)
        failure = step_run.placed(failure, running) if running else failure
    return tuple(step_run.closed(each, at, failure) for each in steps), failure


def not_handed_over(
    record: RunRecord, refused: Mapping[str, RunFailure], why: RunFailure
) -> RunRecord:
    """Step runs that had succeeded have failed, for their outputs were refused.

    Args:
        record: of a run that has ended.
        refused: why, by the step run's key.
        why: the run has failed, if nothing else broke in it.
    """
    _expect(not record.status.is_active, "the run has not ended")
    steps = tuple(
        step_run.not_handed_over(each, refused[each.key])
        if each.key in refused and each.status is StepStatus.SUCCEEDED
        else each
        for each in record.steps
    )
    if record.status is not Status.SUCCEEDED:
        return _next(record, steps=steps)
    return _next(record, steps=steps, status=Status.FAILED, failure=why)


def shortened(record: RunRecord) -> RunRecord:
    """A record of no more cells and words than are taken.

    Of a run of very many, step runs that have succeeded lose their cells, the first
    ones first: what is still to be seen of a run is what runs and what broke. Where
    very many break, the first ones tell in full why.
    """
    excess = len(record.cells) - MOST_CELLS
    steps: list[StepRecord] = []
    for each in record.steps:
        is_told = excess <= 0 or each.status is not StepStatus.SUCCEEDED
        excess -= 0 if is_told else len(each.cells)
        steps.append(each if is_told else each.model_copy(update={"cells": ()}))
    return record.model_copy(update={"steps": tuple(_with_few_words(steps))})


def _with_few_words(steps: Iterable[StepRecord]) -> Iterator[StepRecord]:
    left = _WORDS_BYTES
    for each in steps:
        why = each.failure
        left -= len(f"{why.message}{why.traceback}".encode()) if why else 0
        if why is None or left >= 0:
            yield each
            continue
        cut = {"message": why.message[:_BEGINNING], "traceback": None}
        yield each.model_copy(update={"failure": why.model_copy(update=cut)})


def _ended(
    record: RunRecord, at: datetime, status: Status, failure: RunFailure | None = None
) -> RunRecord:
    _expect(record.status.is_active, "a run ends once")
    steps, failure = closed(record.steps, at, failure)
    return _next(record, steps=steps, ended_at=at, status=status, failure=failure)


def _next(record: RunRecord, **changes: Any) -> RunRecord:  # noqa: ANN401  model_copy's own
    update = {**changes, "revision": record.revision + 1}
    return record.model_copy(update=update)


def _expect(holds: bool, why_not: str) -> None:  # noqa: FBT001  it is a condition
    if not holds:
        raise ValueError(why_not)
