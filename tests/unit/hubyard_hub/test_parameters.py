from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubyard.contract.errors import HubyardError, Invalid
from hubyard.contract.parameters import accept, parameters_of
from hubyard.contract.source import Parameter, ParameterType
from hubyard_hub.sources.notebook import read_notebook
from hubyard_hub.sources.packed import FILE_LIMIT_BYTES
from support.platform import code_cell, notebook


def parameters(source: str) -> list[Parameter]:
    cell = code_cell(source, "parameters")
    return list(parameters_of(read_notebook(notebook(code_cell("1"), cell), "n")))


def one(source: str) -> Parameter:
    (found,) = parameters(source)
    return found


@pytest.mark.parametrize(
    ("source", "kind", "default"),
    [
        ("a = 1", "int", 1),
        ("a = -1", "int", -1),
        ("a = True", "bool", True),
        ("a = 1.5e3", "float", 1500.0),
        ("a = 'x'", "str", "x"),
        ("a = [1, 'b']", "list", [1, "b"]),
        ("a = (1, 2)", "list", [1, 2]),
        ("a = {'k': [None]}", "dict", {"k": [None]}),
        ("a = None", "none", None),
        ("a: float = 1", "float", 1),
        ("a: int | None = None", "int", None),
        ("a: None | int = 3", "int", 3),
        ("a: Optional[float] = None", "float", None),
        ("a: typing.Optional[str] = None", "str", None),
        ("a: list[str] = []", "list", []),
        ("a: typing.List = []", "list", []),
        ("a: 'int' = 1", "int", 1),
        ("a: int | str = 1", "other", 1),
        ("a: str = f()", "str", None),
        ("a = 10 * 60", "none", None),
        ("a = b", "none", None),
        ("a = b'x'", "other", "b'x'"),
        ("a = {1, 2}", "list", [1, 2]),
        ("a = 1e999", "none", None),
        ("a = {1: 2}", "dict", "{1: 2}"),
        ("a: dict[int, int] = {1: 2}", "dict", {"1": 2}),
        ("a: dt.date = dt.date(2024, 1, 31)", "other", "2024-01-31"),
        ("a = Path('x') ", "other", "x"),
        ("a = float('nan') and f()", "none", None),
        ("a = math.inf", "float", math.inf),
        ("a: Final = 3", "int", 3),
        ("a: Final[str] = 'x'", "str", "x"),
        ("a: Literal['x', 'y'] = 'x'", "other", "x"),
    ],
)
def test_type_and_default(source: str, kind: str, default: Any):
    found = one(source)
    assert (found.type, found.default) == (kind, default)


@pytest.mark.parametrize(
    "annotation",
    [
        "pd.DataFrame",
        "Thing",
        "Callable[[], int]",
        "list[np.ndarray]",
        "int | Thing",
        "type[int]",
        "list[int, str]",
        "dict[str]",
        "Literal[Color.RED]",
        "'np.ndarray'",
        "Optional[Thing]",
        "x.y[int]",
    ],
)
def test_what_no_run_can_be_given_is_refused_where_it_is_declared(annotation: str):
    with pytest.raises(Invalid, match="which no run can be given") as caught:
        parameters(f"lr = 0.1\na: {annotation} = f()")
    assert "Parameter a (line 2 of the parameters cell)" in caught.value.message


def test_what_is_no_parameter_may_be_anything():
    found = parameters("Kind: TypeAlias = dict[str, Thing]\na = 1\nb: Thing")
    assert [p.name for p in found] == ["a"]


def test_help_is_the_comment_on_the_line():
    found = parameters(
        "# above\nlr = 0.1  # learning rate\n"
        "layers = [\n  1,  # inside\n]  # sizes\nc = '#no'"
    )
    assert [p.help for p in found] == ["learning rate", "sizes", ""]


def test_a_plot_of_a_million_points_may_lie_in_a_notebook():
    points = ",".join(["0.4636476090008061"] * 2_000_000)
    cell = notebook(code_cell("a = 1")).decode()
    content = cell.replace(
        '"metadata"', f'"points": [{points}], "metadata"', 1
    ).encode()
    assert len(content) < FILE_LIMIT_BYTES
    assert read_notebook(content, "n.ipynb")["cells"]


def test_only_plain_names_are_parameters():
    found = parameters(
        "import os\na, b = 1, 2\nc.d = 3\ne: int\nf = g = 1\nif True:\n    h = 1\n"
        "i += 1\n%matplotlib inline\n!ls\nj = 4\nj = 5"
    )
    assert [(p.name, p.default) for p in found] == [("j", 5)]


def test_the_first_tagged_code_cell_counts():
    markdown = {**code_cell("a = 0", "parameters"), "cell_type": "markdown"}
    cells = (
        markdown,
        code_cell("a = 1", "x", "parameters"),
        code_cell("b = 2", "parameters"),
    )
    found = parameters_of(read_notebook(notebook(*cells), "n"))
    assert [p.name for p in found] == ["a"]
    assert parameters_of(read_notebook(notebook(code_cell("a = 1")), "n")) == ()


def test_a_source_may_be_a_list_of_lines():
    cell = {**code_cell("", "parameters"), "source": ["a = 1\n", "b = 2"]}
    found = parameters_of(read_notebook(notebook(cell), "n"))
    assert [p.name for p in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "line"), [("a = 1\nb = (", 2), ("a = 1\n  b", 2), ("\0", 1)]
)
def test_a_cell_that_is_not_python_is_refused(source: str, line: int):
    with pytest.raises(Invalid, match=f"not Python \\(line {line}\\)"):
        parameters(source)


def test_a_cell_nested_too_deeply_is_refused():
    for source in ("[" * 5000 + "]" * 5000, "-" * 5000 + "1"):
        with pytest.raises(Invalid, match="not Python"):
            parameters(f"a = {source}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff{}", "n is not UTF-8 \\(byte 1\\)"),
        ('{"á": 1}'.encode("latin-1"), "not UTF-8"),
        (b"", "not JSON \\(line 1\\)"),
        (b'{\n"a": }', "not JSON \\(line 2\\)"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5_000, "not JSON \\(line 1\\)"),
        (
            notebook({**code_cell("1"), "cell_type": []}),
            "its cell 1 is broken",
        ),
        (b"[]", "not a JSON object"),
        (b"{}", "nbformat is not 4"),
        (b'{"nbformat": 3}', "nbformat is not 4"),
        (b'{"nbformat": 4}', "no metadata"),
        (b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
        (b'{"nbformat": 4, "metadata": {}, "cells": 1}', "no list of cells"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(content: bytes, words: str):
    with pytest.raises(Invalid, match=words):
        read_notebook(content, "n")


@pytest.mark.parametrize(
    "cell",
    [
        1,
        {},
        {"cell_type": "code", "source": 1, "metadata": {}},
        {"cell_type": "code", "source": [1], "metadata": {}},
        {"cell_type": "other", "source": "", "metadata": {}},
        {"cell_type": "code", "source": ""},
    ],
)
def test_a_broken_cell_is_named(cell: Any):
    with pytest.raises(Invalid, match="its cell 2 is broken"):
        read_notebook(notebook(code_cell("1"), cell), "n")


DECLARED = parameters(
    "i = 1\nf = 1.0\nb = True\ns = 'x'\nl = []\nd = {}\nn = None\no: int = None"
)
NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("i", 5),
        ("i", 10**30),
        ("f", 1),
        ("f", 0.5),
        ("f", NAN),
        ("f", -INF),
        ("b", False),
        ("s", "é'; x"),
        ("l", [1, {"a": None}]),
        ("l", [1, NAN]),
        ("l", [{"a": [INF]}]),
        ("d", {"a": [1.5]}),
        ("d", {"a": INF}),
        ("n", NAN),
        ("n", [INF]),
        ("n", None),
        ("n", "any"),
        ("n", {"a": 1}),
        ("o", None),
        ("o", 3),
    ],
)
def test_values_that_fit(name: str, value: Any):
    accept(DECLARED, {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("i", True),
        ("i", 1.0),
        ("i", "1"),
        ("i", None),
        ("i", NAN),
        ("f", True),
        ("f", "0.1"),
        ("f", None),
        ("b", 1),
        ("b", None),
        ("s", 1),
        ("s", None),
        ("l", "x"),
        ("l", {}),
        ("d", []),
        ("o", 1.5),
    ],
)
def test_values_that_do_not_fit_are_named(name: str, value: Any):
    with pytest.raises(Invalid, match=f"Parameter {name} must be") as caught:
        accept(DECLARED, {"f": 1.0, name: value})
    assert caught.value.field == f"parameters.{name}"


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "",
        "i ",
        "I",
        "a; open('x', 'w') #",
        "class",
        "i.j",
        "i\n",
        "\uff49",
        "__import__",
    ],
)
def test_a_name_that_is_not_declared_is_refused(name: str):
    with pytest.raises(Invalid, match="has no parameter"):
        accept(DECLARED, {name: 1})


def test_a_declared_name_that_is_no_name_is_refused():
    odd = Parameter(name="class", type=ParameterType.INT, declared="int", default=1)
    with pytest.raises(Invalid):
        accept([odd], {"class": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_only_declared_names_pass(given_: dict[str, Any]):
    try:
        accept(DECLARED, given_)
    except Invalid:
        return
    assert set(given_) <= {parameter.name for parameter in DECLARED}


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_cell_gives_parameters_or_our_own_error(source: str):
    try:
        found = parameters(source)
    except HubyardError:
        return
    assert all(parameter.name.isidentifier() for parameter in found)


@settings(max_examples=200)
@given(JSON)
def test_any_other_json_is_refused(document: Any):
    with pytest.raises(Invalid, match="n is"):
        read_notebook(json.dumps(document).encode(), "n")
