"""A script is the notebook that executes it."""

from __future__ import annotations

import ast

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


INSIDE = [
    'TEXT = """\n# %% this is text\n"""\n',
    "def f():\n    '''\n# %% doc\n    '''\n    return 1\n",
    "numbers = [\n    1,\n# %% the rest\n    2,\n]\n",
    "def f():\n    a = 1\n# %% still f\n    return a\n",
    "if x:\n    y = 1\n# %% or else\nelse:\n    y = 2\n",
    "try:\n    y = 1\n# %%\nfinally:\n    y = 2\n",
    "@cached\n# %%\ndef f(): pass\n",
    "a = 1 + \\\n  f('''\n# %%\n''')\n",
    "def f():\n    return 1\n    # %% indented\n",
]
"""Files of one statement whose mark begins nothing."""
MAGICS = ["", "%matplotlib inline\n", "files = !ls\n", "os?\n", "!pwd\n", "await f()\n"]


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("text", INSIDE)
def test_a_mark_counts_only_where_a_statement_begins(text, magic):
    around = f"import os\n{magic}\n# %%\n{text}\n# %% more\nprint(1)\n"
    cells = [cell["source"] for cell in notebook_of(around)["cells"]]
    assert cells == [f"import os\n{magic}".strip(), text.strip("\n"), "print(1)"]


def test_a_mark_beside_a_cell_that_is_no_python():
    text = "# %%\n%%bash\necho \"it's\n# %%\nx = '''\n# %%\n'''\n"
    cells = [cell["source"] for cell in notebook_of(text)["cells"]]
    assert cells == ["%%bash\necho \"it's", "x = '''\n# %%\n'''"]


def test_marks_count_in_a_file_that_cannot_be_read():
    cells = notebook_of("x = 1\n# %%\nx = (\n# %%\nprint(x)")["cells"]
    assert [cell["source"] for cell in cells] == ["x = 1", "x = (", "print(x)"]


def test_lines_are_what_python_takes_for_them():
    text = "\ufeffa = '\u2028'\r\n# %%\r\nb = '\x0c'\r\n"
    cells = [cell["source"] for cell in notebook_of(text)["cells"]]
    assert cells == ["a = '\u2028'", "b = '\x0c'"]


STATEMENTS = st.sampled_from([*INSIDE, "x = 1\n", "x = '# %%'\n", "# a comment\n"])


@given(st.lists(STATEMENTS, min_size=1))
def test_cells_are_python_wherever_the_script_is(statements):
    text = "# %%\n".join(statements)
    cells = notebook_of(text)["cells"]
    assert len(cells) == len(statements)
    for cell in cells:
        ast.parse(cell["source"])


def test_a_script_is_known_by_its_name():
    assert is_script("a/score.py")
    assert not is_script("score.pyc")
