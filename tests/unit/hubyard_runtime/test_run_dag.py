"""The DAG: what follows from what has ended, decided without a process or a clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract import run_record, step_run
from hubyard.contract.pipeline import MOST_STEP_RUNS, StepPlan
from hubyard.contract.run import FailureReason, RunFailure, StepRecord, StepStatus
from hubyard_runtime.run.dag import Dag

NOW = datetime(2026, 11, 24, tzinfo=UTC)
S = StepStatus
FAILURE = RunFailure(reason=FailureReason.CELL_ERROR, message="it broke")


def plan(name, *after, **more):
    return StepPlan(name=name, file=f"{name}.ipynb", after=after, **more)


class Scene:
    """A DAG, its record, and what its steps hand over."""

    def __init__(self, *plans, outputs=None, reused=(), **parameters):
        self.outputs = outputs or {}
        self.dag = Dag(plans, parameters, reused, lambda k: self.outputs.get(k, {}))
        self.record = run_record.planned(run_record.begun(NOW), self.dag.first())
        self.settle()

    def settle(self):
        self.record = self.dag.settled(self.record, NOW)

    @property
    def ready(self):
        return [each.key for each in self.dag.ready(self.record)]

    def of(self, key):
        return next(each for each in self.record.steps if each.key == key)

    @property
    def status(self):
        return {each.key: each.status for each in self.record.steps}

    def end(self, key, status=S.SUCCEEDED):
        begun = step_run.began(self.of(key), NOW)
        ended = {
            S.SUCCEEDED: lambda: step_run.succeeded(begun, NOW),
            S.FAILED: lambda: step_run.failed(begun, NOW, FAILURE),
            S.STOPPED: lambda: step_run.stopped(begun, NOW),
        }[status]()
        self.record = run_record.put(self.record, ended)
        self.settle()

    def values(self, key):
        return self.dag.values(self.record, self.of(key))


def test_a_step_begins_once_all_that_it_comes_after_has_ended():
    scene = Scene(plan("a"), plan("b", "a"), plan("c", "a"), plan("d", "b", "c"))
    assert scene.ready == ["a"]
    scene.end("a")
    assert scene.ready == ["b", "c"]
    scene.end("c")
    assert scene.ready == ["b"]
    scene.end("b")
    assert scene.ready == ["d"]
    scene.end("d")
    assert scene.ready == []
    assert set(scene.status.values()) == {S.SUCCEEDED}


@pytest.mark.parametrize("status", [S.FAILED, S.STOPPED])
def test_what_follows_a_failure_does_not_run(status):
    scene = Scene(plan("a"), plan("b", "a"), plan("c", "b"), plan("apart"))
    scene.end("a", status)
    assert scene.status["b"] is scene.status["c"] is S.NOT_RUN
    assert scene.ready == ["apart"]


def test_parameters_are_values_of_the_pipeline_outputs_and_items():
    scene = Scene(
        plan("a"),
        plan(
            "b",
            "a",
            parameters={
                "rows": "${rows}",
                "n": "${a.n}",
                "text": "at ${a.n} of ${rows}",
                "deep": [{"x": "${each.depth}"}, 1],
            },
            each=[{"depth": 3}, {"depth": 5}],
        ),
        plan("c", "b", parameters={"all": "${b.score}"}),
        rows=[1, 2],
        outputs={"a": {"n": 7}, "b.0": {"score": 1}, "b.1": {"score": 2}},
    )
    scene.end("a")
    assert scene.ready == ["b.0", "b.1"]
    assert scene.values("b.1") == {
        "rows": [1, 2],
        "n": 7,
        "text": "at 7 of [1, 2]",
        "deep": [{"x": 5}, 1],
    }
    scene.end("b.1")
    assert scene.ready == ["b.0"]
    scene.end("b.0")
    assert scene.values("c") == {"all": [1, 2]}


@pytest.mark.parametrize(
    ("each", "items"),
    [
        ([1, "x"], [1, "x"]),
        ({"a": [1, 2], "b": 3}, [{"a": 1, "b": 3}, {"a": 2, "b": 3}]),
        ("${sizes}", [10, 20]),
        ("${a.found}", ["p", "q"]),
    ],
)
def test_a_step_fans_out_over_a_list_or_a_grid(each, items):
    outputs = {"a": {"found": ["p", "q"]}}
    scene = Scene(plan("a"), plan("b", "a", each=each), sizes=[10, 20], outputs=outputs)
    scene.end("a")
    assert [e.item for e in scene.record.steps if e.step == "b"] == items
    assert scene.ready == [f"b.{n}" for n in range(len(items))]


@pytest.mark.parametrize("each", ["${none}", [], {"a": [], "b": [1]}])
def test_a_fan_out_over_nothing_has_succeeded_and_its_list_is_empty(each):
    scene = Scene(
        plan("a", each=each, outputs=("x",)),
        plan("b", "a", parameters={"x": "${a.x}", "of": "${a.each}"}),
        plan("c", "a", each="${a.x}"),
        plan("d", "c", parameters={"x": "${c.x}"}),
        none=[],
    )
    assert scene.status["a"] is scene.status["c"] is S.SUCCEEDED
    assert scene.ready == ["b", "d"]
    assert scene.values("b") == {"x": [], "of": []}
    assert scene.values("d") == {"x": []}


def test_a_fan_out_over_nothing_may_be_taken_over():
    empty = StepRecord(
        key="a", step="a", file="a.ipynb", status=S.SUCCEEDED, reused=True
    )
    scene = Scene(
        plan("a", each=[], outputs=("x",)),
        plan("b", "a", parameters={"x": "${a.x}"}),
        reused=[empty],
    )
    assert scene.values("b") == {"x": []}


def test_items_that_are_left_out_are_missing_from_the_list_and_its_items():
    scene = Scene(
        plan("a", each=["p", "q", "r"], when="${each} != 'q'", outputs=("x",)),
        plan("b", "a", parameters={"x": "${a.x}", "of": "${a.each}"}),
        outputs={"a.0": {"x": 1}, "a.2": {"x": 3}},
    )
    scene.end("a.0")
    scene.end("a.2")
    assert scene.values("b") == {"x": [1, 3], "of": ["p", "r"]}


def test_where_each_item_is_left_out_the_list_is_empty():
    scene = Scene(
        plan("a", each=[1, 2], when="${each} > 5", outputs=("x",)),
        plan("b", "a", parameters={"x": "${a.x}"}),
    )
    assert scene.status["a.0"] is scene.status["a.1"] is S.SKIPPED
    assert scene.ready == ["b"]
    assert scene.values("b") == {"x": []}


@pytest.mark.parametrize("items", [[], [1, 2]])
def test_a_condition_on_more_than_the_item_skips_the_whole_fan_out(items):
    scene = Scene(
        plan("a", each=items, when="${on}", outputs=("x",)),
        plan("b", "a", parameters={"x": "${a.x}"}),
        plan("c", "a"),
        on=False,
    )
    assert scene.status == {"a": S.SKIPPED, "b": S.SKIPPED, "c": S.WAITING}


@pytest.mark.parametrize(("rows", "status"), [(5, S.SKIPPED), (50, S.WAITING)])
def test_a_condition_decides_whether_a_step_runs(rows, status):
    when = "${a.rows} > 10 and not ${off}"
    scene = Scene(
        plan("a"), plan("b", "a", when=when), off=False, outputs={"a": {"rows": rows}}
    )
    scene.end("a")
    assert scene.status["b"] is status


def test_a_condition_on_items_decides_for_each():
    scene = Scene(plan("a", each=[1, 2, 3], when="${each} != 2"))
    assert scene.status == {"a.0": S.WAITING, "a.1": S.SKIPPED, "a.2": S.WAITING}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"each": "${a.rows}"}, "each of b is no list, but 7"),
        ({"each": {"x": list(range(100)), "y": list(range(100))}}, "more than 1000"),
        ({"each": "${a.nothing}"}, "a has not handed it over"),
        ({"when": "${a.rows} > 'x'"}, "cannot be decided"),
        ({"each": [1], "when": "${each.x} == 1"}, "${each.x} names nothing in 1"),
    ],
)
def test_what_cannot_be_used_fails_the_step_in_words(more, says):
    scene = Scene(plan("a"), plan("b", "a", **more), outputs={"a": {"rows": 7}})
    scene.end("a")
    (failed,) = [e for e in scene.record.steps if e.step == "b"]
    assert failed.status is S.FAILED
    assert failed.failure.reason is FailureReason.BAD_INPUT
    assert says in failed.failure.message


def test_a_parameter_that_names_nothing_is_told_when_it_is_asked_for():
    scene = Scene(plan("a"), plan("b", "a", parameters={"x": "${a.nothing}"}))
    scene.end("a")
    with pytest.raises(ValueError, match="a has not handed it over"):
        scene.values("b")


def test_what_was_done_before_is_taken_over():
    plans = (plan("a"), plan("b", "a", each=[1, 2]), plan("c", "b"))
    first = Scene(*plans)
    for key in ("a", "b.0", "b.1"):
        first.end(key)
    reused = [e.model_copy(update={"reused": True}) for e in first.record.steps[:3]]
    assert Scene(*plans, reused=reused).ready == ["c"]
    # An item that is another one now is no work that was done.
    plans = (plan("a"), plan("b", "a", each=[1, 3]), plan("c", "b"))
    assert Scene(*plans, reused=reused).ready == ["b.1"]


def test_a_step_that_is_tried_again_is_ready_again():
    scene = Scene(plan("a"), plan("b", "a"))
    failed = step_run.failed(step_run.began(scene.of("a"), NOW), NOW, FAILURE)
    scene.record = run_record.put(scene.record, step_run.again(failed))
    scene.settle()
    assert scene.ready == ["a"]


def test_the_bound_of_a_fan_out():
    assert MOST_STEP_RUNS == 1000
    assert len(Scene(plan("a", each=list(range(1000)))).ready) == 1000


@st.composite
def dags(draw):
    """Steps that come after any of those before them."""
    count = draw(st.integers(1, 7))
    names = [chr(97 + n) for n in range(count)]
    return [
        plan(name, *draw(st.sets(st.sampled_from(names[:n]))) if n else ())
        for n, name in enumerate(names)
    ]


@given(dags(), st.data())
def test_every_dag_comes_to_an_end_in_its_order(plans, data):
    scene = Scene(*plans)
    before = {each.name: each.after for each in plans}
    while scene.ready:
        key = data.draw(st.sampled_from(scene.ready))
        assert all(scene.status[name] is S.SUCCEEDED for name in before[key])
        scene.end(key, data.draw(st.sampled_from([S.SUCCEEDED, S.FAILED])))
    for name, after in before.items():
        good = all(scene.status[other] is S.SUCCEEDED for other in after)
        assert (scene.status[name] is not S.NOT_RUN) == good
        assert scene.status[name].is_final
