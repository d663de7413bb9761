"""References and conditions: read, resolved, and never executed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract.expression import (
    Condition,
    Reference,
    part_of,
    references,
    resolve,
)

KNOWN = {("rows", None): 7, ("prepare", "rows"): 1200, ("each", "depth"): 3}


def look(reference):
    return KNOWN[tuple(reference)]


def test_references_are_found_however_deep():
    value = {"a": ["${rows}", {"b": "from ${prepare.rows} to ${each.depth}"}], "c": 1}
    assert list(map(str, references(value))) == [
        "${rows}",
        "${prepare.rows}",
        "${each.depth}",
    ]


@pytest.mark.parametrize("text", ["${", "${}", "${a b}", "${a.}", "${.a}", "$ {${1}}"])
def test_what_begins_a_reference_and_is_none_is_a_mistake(text):
    with pytest.raises(ValueError, match="write a reference as"):
        list(references([text]))


def test_a_text_that_is_one_reference_becomes_its_value():
    given_ = {"n": "${rows}", "s": "${rows} rows", "l": ["${prepare.rows}", None]}
    assert resolve(given_, look) == {"n": 7, "s": "7 rows", "l": [1200, None]}


@given(st.recursive(st.none() | st.booleans() | st.integers(), st.lists))
def test_a_value_without_references_stays_as_it_is(value):
    assert resolve(value, look) == value
    assert list(references(value)) == []


def test_a_part_of_an_item():
    assert part_of(5, Reference("each")) == 5
    assert part_of({"depth": 3}, Reference("each", "depth")) == 3
    for item in (5, {"width": 3}, None):
        with pytest.raises(ValueError, match="names nothing"):
            part_of(item, Reference("each", "depth"))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("${prepare.rows} > 1000", True),
        ("${prepare.rows} > 1000 and ${rows} > 7", False),
        ("${prepare.rows} > 5000 or ${rows} >= 7", True),
        ("not ${rows} == 7", False),
        ("1 < ${each.depth} <= 3", True),
        ("1 < ${each.depth} < 3", False),
        ("${rows} in [1, 7]", True),
        ("${rows} not in (1, 7)", False),
        ("${rows} != -7", True),
        ('"x" < "y"', True),
        ("${rows}", True),
        ("None == 0", False),
    ],
)
def test_what_a_condition_says(text, holds):
    assert Condition.parse(text).holds(look) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "1 + 1",
        "open('/etc/passwd')",
        "__import__('os').system('true')",
        "rows > 1",
        "${rows}.__class__",
        "${rows}[0]",
        "[x for x in [1]]",
        "lambda: 1",
        "${rows} is 7",
        "b'x' == 1",
        "(" * 300,
        "1 < " * 200,
    ],
)
def test_whatever_else_is_no_condition(text):
    with pytest.raises(ValueError, match=r"a condition"):
        Condition.parse(text)


def test_what_cannot_be_compared_is_told():
    with pytest.raises(ValueError, match="cannot be decided"):
        Condition.parse("${rows} > 'x'").holds(look)


@given(st.text(max_size=40))
def test_no_text_breaks_it(text):
    with contextlib.suppress(ValueError):
        assert Condition.parse(text).text == text
