"""Tagged notebooks: their steps, and which variables are handed over."""

from __future__ import annotations

import pytest

from hubyard.contract.errors import Invalid
from hubyard.contract.pipeline import MOST_STEPS
from hubyard_hub.pipelines.entry import read_entry
from support.platform import code_cell, notebook, packed


@pytest.fixture
def steps(tmp_path):
    def steps(*cells, given=()):
        source = tmp_path / "source"
        source.write_bytes(packed({"book.ipynb": notebook(*cells)}))
        entry = read_entry(source, "book.ipynb").giving(given)
        return {step.name: step for step in entry.steps}

    return steps


def test_cells_belong_to_the_step_above_them(steps):
    found = steps(
        code_cell("import math", "imports"),
        code_cell("n = 3", "parameters"),
        code_cell("m = n"),
        code_cell("a = m", "step:load"),
        code_cell("a += 1"),
        code_cell("0 / 0", "skip"),
        code_cell("print('still of nobody')"),
        code_cell("b = math.sqrt(a)", "step:root", "prev:load"),
        code_cell("%time c = 1\n!ls", "step:load"),
        given=["n"],
    )
    assert list(found) == ["load", "root"]
    assert found["load"].cells == (0, 1, 2, 3, 4, 8)
    assert found["root"].cells == (0, 1, 2, 7)
    assert found["root"].after == ("load",)
    assert found["load"].gives == ("a",)
    assert found["root"].takes == {"a": "load"}
    assert found["root"].parameters == {"n": "${n}"}


def test_a_variable_comes_from_the_last_step_that_has_it(steps):
    found = steps(
        code_cell("frame = [1]\nother = 2", "step:load"),
        code_cell("frame.append(3)", "step:clean", "prev:load"),
        code_cell("unused = other", "step:aside", "prev:load"),
        code_cell("def size(): return len(frame)", "step:count", "prev:clean"),
        code_cell("print(size())", "step:show", "prev:count"),
    )
    assert found["load"].gives == ("frame", "other")
    assert found["clean"].takes == {"frame": "load"}
    assert found["count"].takes == {"frame": "clean"}
    assert found["aside"].takes == {"other": "load"}
    assert found["aside"].gives == ()
    assert found["show"].takes == {"size": "count"}


def test_names_that_every_step_has_are_not_handed_over(steps):
    found = steps(
        code_cell("import math", "imports"),
        code_cell("def twice(x): return 2 * x", "functions"),
        code_cell("a = twice(math.pi)", "step:a"),
        code_cell("b = twice(len([]))", "step:b", "prev:a"),
    )
    assert found["a"].gives == found["b"].gives == ()


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([code_cell("1", "step:A b")], "cell 1: 'step:A b': write at most 40 of a-z"),
        ([code_cell("1", "step:a", "prev:b")], "cell 1: prev:b: write one of none."),
        ([code_cell("1", "step:a", "prev:a")], "cell 1: prev:a: write one of none."),
        ([code_cell("a b", "step:a")], "cell 1: is not Python (line 1)."),
        (
            [code_cell("1", "step:a", "prev:b"), code_cell("1", "step:b", "prev:a")],
            "the steps wait for one another: ",
        ),
        (
            [code_cell("1", f"step:s{n}") for n in range(MOST_STEPS + 1)],
            "has more than 200 steps.",
        ),
    ],
)
def test_a_mistake_names_its_cell(steps, cells, says):
    with pytest.raises(Invalid) as caught:
        steps(*cells)
    assert says in caught.value.message
    assert caught.value.field == "book.ipynb"
