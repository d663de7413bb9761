from __future__ import annotations

import json
from datetime import date

import pytest

from hubyard.contract.run import FailureReason
from hubyard_runtime.run.step import source
from hubyard_runtime.run.step.failure import Broken

CELL = {"cell_type": "code", "source": "", "metadata": {}}


def notebook(*cells, **metadata):
    return {"nbformat": 4, "metadata": metadata, "cells": list(cells)}


def tagged(text):
    return notebook(
        CELL, {**CELL, "source": text, "metadata": {"tags": ["parameters"]}}
    )


def read(folder, content):
    path = folder / "a.ipynb"
    path.write_bytes(content)
    return source.read(path)


def broken(act, *arguments):
    with pytest.raises(Broken) as caught:
        act(*arguments)
    return caught.value.failure


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON (line 1)"),
        (b'{"cells": [\n', "is not JSON (line 2)"),
        (b'"\xe9"', "is not UTF-8 (byte 2)"),
        (b"[" * 200_000, "is nested too deeply"),
        (b"[]", "is not a notebook"),
        (b'{"nbformat": 3, "metadata": {}, "cells": []}', "is not a notebook"),
        (b'{"nbformat": 4, "cells": []}', "is not a notebook"),
        (b'{"nbformat": 4, "metadata": {}, "cells": {}}', "is not a notebook"),
        (json.dumps(notebook([])).encode(), "is not a notebook"),
        (json.dumps(notebook({**CELL, "source": 3})).encode(), "is not a notebook"),
        (json.dumps(notebook({**CELL, "source": [3]})).encode(), "is not a notebook"),
        (
            json.dumps(notebook({**CELL, "cell_type": "x"})).encode(),
            "is not a notebook",
        ),
        (json.dumps(notebook({**CELL, "metadata": 1})).encode(), "is not a notebook"),
    ],
)
def test_what_is_no_notebook_is_told_in_one_line(tmp_path, content, says):
    failure = broken(read, tmp_path, content)
    assert failure.reason is FailureReason.BAD_NOTEBOOK
    assert says in failure.message
    assert "\n" not in failure.message


def test_a_notebook_is_read(tmp_path):
    lines = notebook({**CELL, "source": ["a\n", "b"]})
    assert read(tmp_path, json.dumps(lines).encode()) == lines


@pytest.mark.parametrize("name", ["../a.ipynb", "/etc/passwd", "missing.ipynb", "sub"])
def test_a_notebook_lies_within_its_source(tmp_path, name):
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "a.ipynb").touch()
    assert "holds no " in broken(source.find, folder, name).message


def test_a_link_does_not_lead_out_of_the_source(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.ipynb").symlink_to("/etc/passwd")
    broken(source.find, tmp_path / "source", "a.ipynb")


@pytest.mark.parametrize(
    "text",
    ["a = 1", "a: int = 1", "%load_ext x\na = 1  # help", "import os\na = os.environ"],
)
def test_a_declared_name_may_be_given(text):
    assert source.values_of(tagged(text), {"a": 5}) == {"a": 5}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a = 1", "b"),
        ("a = 1", "a; open('x', 'w') #"),
        ("a: int", "a"),
        ("if True:\n    a = 1", "a"),
        ("a, b = 1, 2", "a"),
        ("a = 1", "None"),
        ("a = 1", ""),
    ],
)
def test_no_other_name_may_be_given(text, name):
    failure = broken(source.values_of, tagged(text), {name: 1})
    assert "has no parameter" in failure.message


def test_a_value_has_the_type_that_is_declared():
    text = "a: dict[int, date] = {}\nb: tuple[int, ...] = ()"
    given = {"a": {"1": "2024-01-31"}, "b": [1]}
    found = source.values_of(tagged(text), given)
    assert found == {"a": {1: date(2024, 1, 31)}, "b": (1,)}
    failure = broken(source.values_of, tagged("a: date = x()"), {"a": "soon"})
    assert "a must be a date, such as 2024-01-31" in failure.message


def test_a_parameters_cell_must_be_python():
    failure = broken(source.values_of, tagged("a = = 1"), {"a": 1})
    assert failure.message == "The parameters cell is not Python (line 1)."


def test_tags_may_be_anything():
    odd = notebook({**CELL, "metadata": {"tags": None}})
    assert source.values_of(odd, {}) == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"kernelspec": None},
        {"kernelspec": {"name": "my-env", "language": "python"}},
        {"kernelspec": {"name": "python3"}},
    ],
)
def test_python_runs_here(metadata):
    source.check_language(notebook(**metadata))


@pytest.mark.parametrize("language", ["julia", ["python"]])
def test_other_languages_do_not(language):
    other = notebook(kernelspec={"language": language})
    failure = broken(source.check_language, other)
    assert failure.reason is FailureReason.NO_KERNEL
    assert "only Python runs here" in failure.message
