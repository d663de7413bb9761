"""The records of a step run and of a run: no order of steps makes them lie."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract import run_record, step_run
from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import (
    MOST_CELLS,
    MOST_RECORDED,
    CellRecord,
    CellStatus,
    FailureReason,
    RunFailure,
    RunRecord,
    StepRecord,
    StepStatus,
)
from hubyard.contract.workload import Status
from hubyard_hub.runs.kept import RECORD_BOUND
from hubyard_hub.sources.json_text import check_json

BEGUN = datetime(2026, 11, 24, tzinfo=UTC)
FAILURE = RunFailure(reason=FailureReason.CELL_ERROR, message="it broke", cell=0)
WAITING = step_run.waiting(StepPlan(name="a", file="a.ipynb"))
STEPS = {
    "begin": lambda s, at, i: step_run.began(s, at),
    "plan": lambda s, at, i: step_run.planned(s, range(3)),
    "start": lambda s, at, i: step_run.cell_started(s, i, at),
    "cell": lambda s, at, i: step_run.cell_succeeded(s, i, at, 7),
    "succeed": lambda s, at, i: step_run.succeeded(s, at),
    "fail": lambda s, at, i: step_run.failed(s, at, FAILURE),
    "stop": lambda s, at, i: step_run.stopped(s, at),
    "cut short": lambda s, at, i: step_run.cut_short(s, FAILURE),
    "again": lambda s, at, i: step_run.again(s),
    "skip": lambda s, at, i: step_run.left_out(s, StepStatus.SKIPPED),
}


def at(seconds):
    return BEGUN + timedelta(seconds=seconds)


def check(now: StepRecord) -> None:
    """What is true of every record, whatever was done before."""
    seen = [cell.status for cell in now.cells]
    assert seen.count(CellStatus.RUNNING) <= 1
    for cell in now.cells:
        began = cell.status not in {CellStatus.WAITING, CellStatus.NOT_RUN}
        ended = cell.status in {CellStatus.SUCCEEDED, CellStatus.FAILED}
        assert (cell.started_at is not None) == began
        assert (cell.ended_at is not None) == ended
    if now.status is not StepStatus.RUNNING:
        assert not {CellStatus.WAITING, CellStatus.RUNNING} & set(seen)
    if now.status is StepStatus.SUCCEEDED:
        assert set(seen) <= {CellStatus.SUCCEEDED}
    if now.status is StepStatus.FAILED:
        assert now.failure is not None
    assert (now.started_at is not None) == (now.attempt > 0)


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 3))))
def test_no_order_makes_the_record_of_a_step_lie(acts):
    now = WAITING
    for second, (name, index) in enumerate(acts):
        try:
            now = STEPS[name](now, at(second), index)
        except ValueError:
            continue
        check(now)


RUN = {
    "plan": lambda r, at: run_record.planned(r, [WAITING, step_run.waiting(B)]),
    "begin": lambda r, at: run_record.put(r, step_run.began(r.steps[0], at)),
    "end": lambda r, at: run_record.put(r, step_run.succeeded(r.steps[0], at)),
    "fan out": lambda r, at: run_record.expanded(
        r, "b", [step_run.waiting(B, f"b.{n}", n) for n in range(2)]
    ),
    "succeed": run_record.succeeded,
    "fail": lambda r, at: run_record.failed(r, at, FAILURE),
    "stop": run_record.stopped,
}
B = StepPlan(name="b", file="b.ipynb", after=("a",), each=[0, 1])


def check_run(now: RunRecord) -> None:
    final = not now.status.is_active
    assert (now.ended_at is not None) == final
    assert len({each.key for each in now.steps}) == len(now.steps)
    if final:
        assert all(each.status.is_final for each in now.steps)
    if now.status is Status.SUCCEEDED:
        good = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}
        assert {each.status for each in now.steps} <= good
    assert (now.failure is not None) == (now.status is Status.FAILED)


@given(st.lists(st.sampled_from(sorted(RUN))))
def test_no_order_makes_the_record_of_a_run_lie(acts):
    now = run_record.begun(BEGUN)
    for second, name in enumerate(acts):
        try:
            after = RUN[name](now, at(second))
        except (ValueError, IndexError):
            continue
        assert after.revision == now.revision + 1
        assert now.status.is_active
        check_run(after)
        now = after


def test_a_step_from_its_beginning_to_its_end():
    now = step_run.planned(step_run.began(WAITING, at(0)), [0, 2])
    now = step_run.cell_succeeded(step_run.cell_started(now, 0, at(1)), 0, at(2), 12)
    now = step_run.cell_started(now, 2, at(3))
    broken = step_run.failed(now, at(4), FAILURE)
    assert [cell.status for cell in broken.cells] == ["succeeded", "failed"]
    assert broken.cells[0].output_bytes == 12
    assert broken.cells[1].ended_at == at(4)
    second = step_run.began(step_run.again(broken), at(5))
    assert (second.attempt, second.cells, second.failure) == (2, (), None)
    done = step_run.succeeded(step_run.cell_succeeded(now, 2, at(4)), at(5))
    assert (done.status, done.ended_at) == (StepStatus.SUCCEEDED, at(5))


def test_a_run_that_ends_ends_its_steps():
    now = run_record.planned(run_record.begun(BEGUN), [WAITING, step_run.waiting(B)])
    now = run_record.put(now, step_run.began(WAITING, at(1)))
    failed = run_record.failed(now, at(2), FAILURE)
    assert [each.status for each in failed.steps] == ["failed", "not-run"]
    placed = FAILURE.model_copy(update={"step": "a", "cell": None})
    assert failed.steps[0].failure == failed.failure == placed
    stopped = run_record.stopped(now, at(2))
    assert [each.status for each in stopped.steps] == ["stopped", "not-run"]


@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 3))),
    st.sampled_from([None, FAILURE.model_copy(update={"cell": None})]),
)
def test_steps_end_with_their_run_as_they_end_in_its_runner(acts, failure):
    """The hub closes a run that left no last word as the run would have done it."""
    now = WAITING
    for second, (name, index) in enumerate(acts):
        with contextlib.suppress(ValueError):
            now = STEPS[name](now, at(second), index)
    run = run_record.planned(run_record.begun(BEGUN), [now, step_run.waiting(B)])
    if failure is None:
        last = run_record.stopped(run, at(100))
    else:
        last = run_record.failed(run, at(100), failure)
    closed, why = run_record.closed(run.steps, at(100), failure)
    assert (last.steps, last.failure) == (closed, why)
    check(closed[0])
    if why is not None and now.status is StepStatus.RUNNING:
        running = [c.index for c in now.cells if c.status is CellStatus.RUNNING]
        assert (why.step, why.cell) == ("a", next(iter(running), None))


def test_a_step_that_is_stopped_unasked_has_failed_in_the_cell_that_ran():
    now = step_run.planned(step_run.began(WAITING, at(0)), [0, 2])
    stopped = step_run.stopped(step_run.cell_started(now, 0, at(1)), at(2))
    assert [cell.status for cell in stopped.cells] == ["failed", "not-run"]
    over = FAILURE.model_copy(update={"reason": FailureReason.LIFETIME, "cell": None})
    cut = step_run.cut_short(stopped, over)
    assert (cut.status, cut.failure.step, cut.failure.cell) == ("failed", "a", 0)


def test_a_step_that_is_taken_over_stays_where_it_stands_in_this_run():
    done = step_run.succeeded(step_run.began(WAITING, at(0), cache_key="c" * 64), at(1))
    own = step_run.waiting(B, "b.1", 1)
    taken = step_run.taken_over(own, done)
    assert (taken.key, taken.item, taken.after) == ("b.1", 1, ("a",))
    assert (taken.status, taken.reused) == (StepStatus.SUCCEEDED, True)
    assert taken.ended_at == at(1)
    with pytest.raises(ValueError, match="only what waits"):
        step_run.taken_over(done, done)


@pytest.mark.parametrize("broke", [False, True])
def test_a_step_whose_outputs_are_refused_has_failed_and_its_run_too(broke: bool):  # noqa: FBT001  a case
    run = run_record.planned(run_record.begun(BEGUN), [WAITING, step_run.waiting(B)])
    done = step_run.succeeded(step_run.began(WAITING, at(0)), at(1))
    run = run_record.put(run, done)
    refused = FAILURE.model_copy(update={"reason": FailureReason.NO_OUTPUT})
    with pytest.raises(ValueError, match="has not ended"):
        run_record.not_handed_over(run, {"a": refused}, refused)
    second = step_run.began(run.steps[1], at(2))
    second = (
        step_run.failed(second, at(3), FAILURE)
        if broke
        else step_run.succeeded(second, at(3))
    )
    run = run_record.put(run, second)
    last = (
        run_record.failed(run, at(4), FAILURE)
        if broke
        else run_record.succeeded(run, at(4))
    )
    told = run_record.not_handed_over(last, {"a": refused, "b": refused}, refused)
    assert (told.status, told.revision) == (Status.FAILED, last.revision + 1)
    assert told.failure.reason is (FAILURE if broke else refused).reason
    assert told.steps[0].failure == refused
    assert told.steps[1].failure.reason is (FAILURE if broke else refused).reason
    check_run(told)


@pytest.mark.parametrize("name", ["succeed", "fail", "stop"])
def test_a_run_ends_once(name):
    now = run_record.stopped(run_record.begun(BEGUN), at(1))
    with pytest.raises(ValueError, match=r"once|not every"):
        RUN[name](now, at(2))


def test_success_is_not_claimed_while_something_waits():
    now = step_run.planned(step_run.began(WAITING, at(0)), [0])
    with pytest.raises(ValueError, match="not every cell"):
        step_run.succeeded(now, at(1))
    run = run_record.planned(run_record.begun(BEGUN), [WAITING])
    with pytest.raises(ValueError, match="not every step"):
        run_record.succeeded(run, at(1))


def test_a_record_of_too_many_cells_keeps_those_of_what_runs_and_what_broke():
    cells = tuple(
        CellRecord(index=n, status=CellStatus.SUCCEEDED) for n in range(MOST_CELLS // 2)
    )
    statuses = [StepStatus.FAILED, *[StepStatus.SUCCEEDED] * 2, StepStatus.RUNNING]
    steps = tuple(
        WAITING.model_copy(update={"key": f"a.{n}", "status": status, "cells": cells})
        for n, status in enumerate(statuses)
    )
    whole = run_record.begun(BEGUN).model_copy(update={"steps": steps})
    short = run_record.shortened(whole)
    assert [bool(each.cells) for each in short.steps] == [True, False, False, True]
    assert RunRecord.model_validate_json(short.model_dump_json()) == short
    assert run_record.shortened(short) == short


def test_a_record_of_a_thousand_long_tracebacks_is_taken():
    why = FAILURE.model_copy(
        update={"message": "x" * 4000, "traceback": "y\n" * 16_000}
    )
    began = WAITING.model_copy(update={"status": StepStatus.FAILED, "failure": why})
    steps = tuple(began.model_copy(update={"key": f"a.{n}"}) for n in range(1000))
    whole = run_record.begun(BEGUN).model_copy(update={"steps": steps})
    short = run_record.shortened(whole)
    check_json(short.model_dump_json().encode(), RECORD_BOUND)
    assert short.steps[0].failure == why
    assert all(each.failure.message for each in short.steps)


def test_a_record_of_all_step_runs_and_cells_that_there_can_be_is_taken():
    cells = tuple(
        CellRecord(
            index=n, status=CellStatus.SUCCEEDED, started_at=at(0), ended_at=at(1)
        )
        for n in range(MOST_CELLS // MOST_RECORDED)
    )
    ran = WAITING.model_copy(
        update={
            "cells": cells,
            "after": ("b",),
            "status": StepStatus.FAILED,
            "started_at": at(0),
            "ended_at": at(1),
            "failure": FAILURE,
        }
    )
    steps = tuple(
        ran.model_copy(update={"key": f"a.{n}"}) for n in range(MOST_RECORDED)
    )
    whole = run_record.begun(BEGUN).model_copy(update={"steps": steps})
    check_json(run_record.shortened(whole).model_dump_json().encode(), RECORD_BOUND)
