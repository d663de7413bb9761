"""The cache key: the same while all that goes into a step is, another one otherwise."""

from __future__ import annotations

import pytest

from hubyard.contract.pipeline import StepPlan
from hubyard_runtime.run.cache import CacheKeys

PLAN = StepPlan(name="fit", file="fit.ipynb", outputs=("auc",), cache=True)
SOURCE = {"fit.ipynb": "{}", "other.ipynb": "{}", "lib/tools.py": "A = 1", "d.csv": "1"}


def write(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.fixture
def key(tmp_path):
    """The key of a step run, in a run of its own."""
    numbers = iter(range(100))

    def key(parameters=None, plan=PLAN, handed_over="x", **changed):
        run = tmp_path / str(next(numbers))
        files = {**SOURCE, **{f.replace("__", "."): c for f, c in changed.items()}}
        source = write(run / "source", files)
        steps = write(run / "steps", {"load/outputs/rows/rows.csv": handed_over})
        given = parameters(steps) if callable(parameters) else parameters
        return CacheKeys(source, steps).of(plan, given or {})

    return key


def handed(steps):
    """Parameters that hold a file which an earlier step has handed over."""
    file = str(steps / "load/outputs/rows/rows.csv")
    return {"rows": file, "all": [{"one": file}, 2, None]}


def test_it_is_the_same_wherever_the_run_lies(key):
    assert key() == key()
    assert key({"a": 1, "b": [2]}) == key({"b": [2], "a": 1})
    assert key(handed) == key(handed)
    assert len(key()) == 64


def test_it_does_not_change_with_what_belongs_to_other_steps(key):
    assert key() == key(other__ipynb="{ }", nightly__yml="steps:")


@pytest.mark.parametrize(
    "changed", [{"fit__ipynb": "{ }"}, {"tools__py": "A = 2"}, {"d__csv": "2"}]
)
def test_it_changes_with_code_and_data_of_the_source(key, changed):
    assert key() != key(**changed)


def test_it_changes_with_what_the_step_is_given(key, monkeypatch):
    keys = [
        key(),
        key({"a": 1}),
        key({"a": 2}),
        key(handed),
        key(handed, handed_over="y"),
        key(plan=PLAN.model_copy(update={"outputs": ()})),
        key(plan=PLAN.model_copy(update={"file": "other.ipynb"})),
    ]
    monkeypatch.setattr("hubyard_runtime.run.cache.lock_hash", lambda: "newer packages")
    keys.append(key())
    assert len(set(keys)) == len(keys)
