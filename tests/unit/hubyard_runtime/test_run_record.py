from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.run import CellStatus, FailureReason, RunFailure, RunRecord
from hubyard.contract.workload import Status
from hubyard_runtime.run import record

BEGUN = datetime(2026, 11, 24, tzinfo=UTC)
FAILURE = RunFailure(reason=FailureReason.CELL_ERROR, message="it broke", cell=0)
ENDS = {
    "succeeded": record.succeeded,
    "failed": lambda r, at: record.failed(r, at, FAILURE),
    "stopped": record.stopped,
}
STEPS = {
    "plan": lambda r, at, i: record.planned(r, range(3)),
    "start": lambda r, at, i: record.cell_started(r, i, at),
    "succeed": lambda r, at, i: record.cell_succeeded(r, i, at),
    **{name: lambda r, at, i, end=end: end(r, at) for name, end in ENDS.items()},
}


def at(seconds):
    return BEGUN + timedelta(seconds=seconds)


def check(now: RunRecord) -> None:
    """What is true of every record, whatever was done before."""
    seen = [cell.status for cell in now.cells]
    assert seen.count(CellStatus.RUNNING) <= 1
    for cell in now.cells:
        began = cell.status not in {CellStatus.WAITING, CellStatus.NOT_RUN}
        ended = cell.status in {CellStatus.SUCCEEDED, CellStatus.FAILED}
        assert (cell.started_at is not None) == began
        assert (cell.ended_at is not None) == ended
    final = not now.status.is_active
    assert (now.ended_at is not None) == final
    if final:
        assert not {CellStatus.WAITING, CellStatus.RUNNING} & set(seen)
    if now.status is Status.SUCCEEDED:
        assert set(seen) <= {CellStatus.SUCCEEDED}
    assert (now.failure is not None) == (now.status is Status.FAILED)


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 3))))
def test_no_order_of_steps_makes_a_record_lie(steps):
    now = record.begun(BEGUN)
    for second, (name, index) in enumerate(steps):
        try:
            after = STEPS[name](now, at(second), index)
        except ValueError:
            continue
        assert after.revision == now.revision + 1
        assert now.status.is_active
        check(after)
        now = after


def test_a_run_from_its_beginning_to_its_end():
    now = record.planned(record.begun(BEGUN), [0, 2])
    now = record.cell_started(now, 0, at(1))
    now = record.cell_succeeded(now, 0, at(2))
    now = record.cell_started(now, 2, at(3))
    broken = record.failed(now, at(4), FAILURE)
    assert [cell.status for cell in broken.cells] == ["succeeded", "failed"]
    assert broken.cells[1].ended_at == at(4)
    now = record.succeeded(record.cell_succeeded(now, 2, at(4)), at(5))
    assert (now.status, now.revision, now.ended_at) == (Status.SUCCEEDED, 7, at(5))


@pytest.mark.parametrize("end", ENDS.values())
def test_a_run_ends_once(end):
    now = record.stopped(record.begun(BEGUN), at(1))
    with pytest.raises(ValueError, match=r"once|not every"):
        end(now, at(2))


def test_success_is_not_claimed_while_a_cell_waits():
    now = record.planned(record.begun(BEGUN), [0])
    with pytest.raises(ValueError, match="not every cell"):
        record.succeeded(now, at(1))
