"""A script is the notebook that executes it."""

from __future__ import annotations

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.script import is_script, notebook_of

SCRIPT = '''"""Score."""

import math

# %% tags=["parameters"]
rows = 5

# %% [markdown]
# # Scores
# of all

# %%
print(rows)
#%% tags=[broken]
print(2)
'''


def test_marks_begin_cells():
    cells = notebook_of(SCRIPT)["cells"]
    assert [cell["cell_type"] for cell in cells] == ["code"] * 2 + ["markdown"] + [
        "code"
    ] * 2
    assert cells[0]["source"] == '"""Score."""\n\nimport math'
    assert cells[1]["metadata"] == {"tags": ["parameters"]}
    assert cells[2]["source"] == "# Scores\nof all"
    assert cells[4] == {**cells[4], "metadata": {}, "source": "print(2)"}


@pytest.mark.parametrize("text", ["", "\n\n", "x = 1", "# %%\n", "# %% a name\nx"])
def test_whatever_it_holds_it_is_a_notebook(text):
    nbformat.validate(nbformat.from_dict(notebook_of(text)))


@given(st.text())
def test_no_text_breaks_it(text):
    nbformat.validate(nbformat.from_dict(notebook_of(text)))


def test_a_script_is_known_by_its_name():
    assert is_script("a/score.py")
    assert not is_script("score.pyc")
