"""Tagged notebooks: their steps, and which variables are handed over."""

from __future__ import annotations

import pytest

from hubyard.contract.errors import Invalid
from hubyard.contract.pipeline import MOST_STEPS
from hubyard_hub.sources.reading import read_entry
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
        code_cell("print('of load')"),
        code_cell("b = math.sqrt(a)", "step:root", "prev:load"),
        code_cell("%time c = 1\n!ls", "step:load"),
        given=["n"],
    )
    assert list(found) == ["load", "root"]
    assert found["load"].cells == (0, 1, 2, 3, 4, 6, 8)
    assert found["root"].cells == (0, 1, 2, 7)
    assert found["load"].variables.shared == (0, 1, 2)
    assert found["root"].after == ("load",)
    assert found["load"].variables.gives == ("a",)
    assert found["root"].variables.takes == ("a",)
    assert found["root"].parameters == {"n": "${n}"}


def test_a_step_takes_what_it_uses_and_leaves_what_later_ones_use(steps):
    found = steps(
        code_cell("frame = [1]\nother = 2", "step:load"),
        code_cell("frame.append(3)", "step:clean", "prev:load"),
        code_cell("unused = other", "step:aside", "prev:load"),
        code_cell("def size(): return len(frame)", "step:count", "prev:clean"),
        code_cell("print(size())", "step:show", "prev:count"),
    )
    takes = {name: step.variables.takes for name, step in found.items()}
    assert takes == {
        "load": (),
        "clean": ("frame",),
        "aside": ("other",),
        "count": (),
        "show": ("frame", "size"),
    }
    assert found["load"].variables.gives == ("frame", "other", "size")
    assert found["count"].variables.gives == ("frame", "size")
    assert found["aside"].variables.gives == ()
    assert not found["aside"].hands_over
    assert found["load"].hands_over


def test_what_each_step_imports_is_not_handed_over(steps):
    found = steps(
        code_cell("import math", "imports"),
        code_cell("a = math.pi", "step:a"),
        code_cell("b = math.floor(len([]))", "step:b", "prev:a"),
    )
    assert found["a"].variables.gives == found["b"].variables.takes == ()


def test_steps_that_only_read_run_side_by_side(steps):
    found = steps(
        code_cell("rows = [1, 2]", "step:load"),
        code_cell("for row in rows: left = row", "step:l", "prev:load"),
        code_cell("for row in rows: right = row", "step:r", "prev:load"),
        code_cell("print(left, right)", "step:join", "prev:l", "prev:r"),
    )
    assert found["r"].after == ("load",)
    assert found["l"].variables.keeps == {"rows": "r"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("v = 2", "print(v)"),
        ("v.append(2)", "print(v)"),
        ("v[0] = 2", "print(v)"),
        ("w.append(2)", "print(v)"),
        ("x = v.pop()", "print(v)"),
        ("z = v", "v.append(3)"),
        ("%time v = 2", "!echo $v"),
        ("%%capture v\nprint()", "v"),
        ("change()", "show()"),
        ("exec('v = 2')", "1"),
        ("1", "print(eval('v'))"),
        ("%run other.py", "1"),
        ("import os\nos.environ['A'] = 'b'", "!env"),
        ("%cd ..", "1"),
        ("from other import *", "1"),
        ("import random\nrandom.seed(1)", "1"),
    ],
)
def test_a_step_follows_one_whose_changes_it_may_see(steps, first, second):
    found = steps(
        code_cell("def change(): v.append(1)\ndef show(): print(v)", "functions"),
        code_cell("v = []\nw = v\ny = 1", "step:load"),
        code_cell(first, "step:l", "prev:load"),
        code_cell(second, "step:r", "prev:load"),
    )
    assert found["r"].after == ("load", "l")


def test_kale_may_spell_names_with_underscores(steps):
    found = steps(
        code_cell("1", "block:load_data"),
        code_cell("2", "step:fit_", "prev:load_data"),
    )
    assert list(found) == ["load-data", "fit"]
    assert found["fit"].after == ("load-data",)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([code_cell("1", "step:A b")], "cell 1: 'step:A b': write at most 40 of a-z"),
        ([code_cell("1", "step:a", "prev:b")], "cell 1: prev:b: write one of none."),
        ([code_cell("1", "step:a", "prev:a")], "cell 1: prev:a: write one of none."),
        ([code_cell("1\na b", "step:a")], "cell 1, line 2: is not Python."),
        ([code_cell("%time a b", "step:a")], "cell 1, line 1: is not Python."),
        ([code_cell("%%time\n1\na b", "step:a")], "cell 1, line 3: is not Python."),
        ([code_cell("1", "prev:a")], "no cell is tagged `step:<name>`."),
        (
            [code_cell("1", "step:a_b"), code_cell("1", "step:a-b")],
            "cell 2: 'step:a-b': there is a step 'a_b' already.",
        ),
        (
            [code_cell("%time 1\n" * 2**13, "step:a")],
            "cell 1, line 1: is long and has many magics: split it",
        ),
        ([code_cell("-" * 5000 + "1", "step:a")], "cell 1, line 1: is "),
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
