"""Which step runs are taken over when a run is run again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hubyard.contract.errors import Conflict, Invalid, NotFound
from hubyard.contract.pipeline import StepPlan
from hubyard.contract.run import ResumeRequest, StepRecord, StepStatus
from hubyard_hub.runs.again import again

S = StepStatus
PLANS = (
    StepPlan(name="a", file="a.ipynb", outputs=("x",)),
    StepPlan(name="b", file="b.ipynb", after=("a",)),
    StepPlan(name="c", file="c.ipynb", after=("b",)),
    StepPlan(name="d", file="d.ipynb"),
)


def taken(statuses, request=None, has=lambda *_: True):
    """The keys that are taken over, of a run that ended like this."""
    ended = [
        StepRecord(key=key, step=key.partition(".")[0], file="a.ipynb", status=status)
        for key, status in statuses.items()
    ]
    found = again(SimpleNamespace(steps=PLANS), ended, request or ResumeRequest(), has)
    assert all(each.reused for each in found)
    return [each.key for each in found]


@pytest.mark.parametrize(
    ("statuses", "kept"),
    [
        ({"a": S.SUCCEEDED, "b": S.FAILED, "c": S.NOT_RUN, "d": S.SUCCEEDED}, "a d"),
        ({"a": S.FAILED, "b": S.NOT_RUN, "c": S.NOT_RUN, "d": S.STOPPED}, ""),
        ({"a": S.SUCCEEDED, "b": S.SUCCEEDED, "c": S.FAILED, "d": S.SKIPPED}, "a b"),
        (
            {"a": S.SUCCEEDED, "b.0": S.SUCCEEDED, "b.1": S.FAILED, "c": S.NOT_RUN},
            "a",
        ),
        ({}, ""),
    ],
)
def test_what_succeeded_is_taken_over_unless_it_follows_what_did_not(statuses, kept):
    assert taken(statuses) == kept.split()


DONE = dict.fromkeys("abcd", S.SUCCEEDED)


def test_a_fan_out_over_nothing_has_nothing_to_keep():
    plans = (
        StepPlan(name="a", file="a.ipynb", each=[], outputs=("x",)),
        StepPlan(name="b", file="b.ipynb", after=("a",)),
    )
    ended = [
        StepRecord(key="a", step="a", file="a.ipynb", status=S.SUCCEEDED),
        StepRecord(key="b", step="b", file="b.ipynb", status=S.FAILED),
    ]
    request = ResumeRequest(step="b", only=True)
    found = again(SimpleNamespace(steps=plans), ended, request, lambda *_: False)
    assert [each.key for each in found] == ["a"]


@pytest.mark.parametrize(("step", "kept"), [("a", "d"), ("b", "a d"), ("d", "a b c")])
def test_a_step_may_be_named_to_run_from(step, kept):
    assert taken(DONE, ResumeRequest(step=step)) == kept.split()


def test_what_has_not_handed_over_its_outputs_runs_again():
    failed = {**DONE, "d": S.FAILED}
    assert taken(failed, has=lambda key, _: key != "a") == []


@pytest.mark.parametrize(
    ("statuses", "wish", "error", "says"),
    [
        (DONE, {}, Conflict, "All of its steps have succeeded"),
        (DONE, {"step": "x"}, NotFound, "write one of a, b, c, d"),
        (DONE, {"only": True}, Conflict, "All of its steps have succeeded"),
        ({**DONE, "d": S.FAILED}, {"only": True}, Invalid, "Name the step"),
        (
            {"a": S.FAILED, "b": S.NOT_RUN},
            {"step": "b", "only": True},
            Conflict,
            "takes what a hands over, which the run has not kept: run from a on",
        ),
    ],
)
def test_what_cannot_be_run_again_is_told(statuses, wish, error, says):
    with pytest.raises(error, match=says):
        taken(statuses, ResumeRequest(**wish))
