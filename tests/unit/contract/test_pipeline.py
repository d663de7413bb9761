"""The values of a pipeline."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hubyard.contract.pipeline import (
    PipelineFile,
    StepFile,
    StepPlan,
    Variables,
    is_pipeline,
)


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), (45, 45)]
)
def test_durations_are_written_as_people_do(written, seconds):
    assert StepFile(notebook="a.ipynb", timeout=written).timeout == seconds


@pytest.mark.parametrize("written", ["soon", "0s", 0, -1, 1.5, None, "400d"])
def test_what_is_no_duration_is_told(written):
    with pytest.raises(ValidationError, match="write a duration such as 90s"):
        StepFile(notebook="a.ipynb", retry_wait=written)


def test_one_name_may_stand_for_a_list():
    step = StepFile(notebook="a.ipynb", after="b", outputs="rows")
    assert (step.after, step.outputs) == (("b",), ("rows",))


@pytest.mark.parametrize("name", ["a b", "1a", "", "a.b", "x" * 81])
def test_a_name_is_pythons(name):
    with pytest.raises(ValidationError, match="write a name as Python has them"):
        StepFile(notebook="a.ipynb", outputs=[name])
    with pytest.raises(ValidationError):
        PipelineFile(parameters={name: 1}, steps={})


def test_what_other_steps_may_need():
    plan = StepPlan(name="a", file="a.ipynb")
    assert not plan.hands_over
    assert plan.model_copy(update={"outputs": ("x",)}).hands_over
    assert not plan.model_copy(update={"variables": Variables()}).hands_over
    followed = Variables(followed=True)
    assert plan.model_copy(update={"variables": followed}).hands_over


def test_a_pipeline_is_known_by_its_name():
    assert is_pipeline("pipelines/a.yml")
    assert is_pipeline("a.yaml")
    assert not is_pipeline("a.ipynb")
